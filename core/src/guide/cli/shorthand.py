"""`guide run --source 0` is `guide run --set source=0`: a project's options beside ours."""

from __future__ import annotations

import difflib

import click


class WithProjectOptions(click.Command):
    """A command that takes `--NAME VALUE`, where it has no such option, as `--set NAME=VALUE`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Rewrite what belongs to the project, then parse as ever."""
        own = {
            name for param in self.get_params(ctx) for name in (*param.opts, *param.secondary_opts)
        }
        rest, rewritten = list(args), []
        while rest:
            word = rest.pop(0)
            if word == "--":
                rewritten += [word, *rest]
                break
            name, equals, value = word.partition("=")
            if not name.startswith("--") or name in own:
                rewritten.append(word)
                if name in own and not equals and self._takes_value(ctx, name) and rest:
                    rewritten.append(rest.pop(0))
                continue
            # A slip of the pen in one of our own is told as such
            if near := difflib.get_close_matches(name, own, 1, 0.8):
                option = name[2:].replace("-", "_")
                what = f"No such option: {name} (one of the project is --set {option}=VALUE)"
                raise click.NoSuchOption(name, what, near, ctx)
            if not equals:
                # One that stands alone is a switch: `--loop`
                value = rest.pop(0) if rest and not rest[0].startswith("--") else "true"
            rewritten += ["--set", f"{name[2:].replace('-', '_')}={value}"]
        return super().parse_args(ctx, rewritten)

    def _takes_value(self, ctx: click.Context, name: str) -> bool:
        return any(
            isinstance(param, click.Option) and not param.is_flag and name in param.opts
            for param in self.get_params(ctx)
        )
