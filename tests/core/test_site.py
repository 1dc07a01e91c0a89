"""The web site, built by the real zensical and looked at in a real browser."""

import json
import re
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

pytest.importorskip("zensical", reason="guide-core[site] is not installed")

sys.path.insert(0, str(Path(__file__).parent))
from browser import CHROMIUM, browser

from guide.errors import GuideError
from guide.learn.contents import all_exercises, all_sections
from guide.plugin import Exercise, Section
from guide.plugins import Plugins
from guide.site.assemble import Course, assemble
from guide.site.build import broken_links, build


def course(*extra, only=None, **more):
    plugins = Plugins(disabled=["vision", "graphics", "deep-learning"])
    everything = all_sections(plugins)
    sections = [s for s in everything if only is None or s.id in only]
    exercises = all_exercises(plugins)
    return Course([], [*sections, *extra], exercises, [*everything, *extra], **more)


def section(tmp_path, text):
    file = tmp_path / "s8.md"
    file.write_text(f"# It\n\n{text}\n")
    return Section("m5/s8", "It", file)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    target = tmp_path_factory.mktemp("built") / "site"
    pages = build(course(read=["m0/s0"], passed=["m1::e0"]), target)
    assert pages == len(list(target.rglob("*.html"))) - 1
    return target


def test_every_section_and_exercise_has_a_page(site):
    for known in course().sections:
        assert (site / f"{known.id}.html").is_file()
    for exercise in course().exercises:
        assert (site / f"{exercise.id.replace('::', '/')}.html").is_file()


def test_nothing_is_loaded_from_elsewhere_and_no_link_is_broken(site):
    assert list(broken_links(site)) == []
    loaded = re.compile(r"@import|url\(\s*['\"]?https?:")
    assert not [css for css in site.rglob("*.css") if loaded.search(css.read_text())]


def test_figures_values_and_listings_are_in_the_page(site):
    html = (site / "m4" / "s3.html").read_text()
    assert html.count('<svg viewBox="0 0 1000 1000"') == 1
    assert "compact_branchless" in html
    assert 'class="k"' in html  # highlighted
    assert 'class="guide-author"' in html
    assert "{figure" not in html
    assert "{value" not in html


def test_ids_of_sections_are_links(site):
    html = (site / "m2" / "s5.html").read_text()
    assert '<a href="s2.html">m2/s2</a>' in html or '<a href="../m2/s2.html">m2/s2</a>' in html


def test_a_section_leads_to_its_exercises_also_in_another_module(site):
    assert "m1/e0.html" in (site / "m1" / "s5.html").read_text()
    html = (site / "m4" / "s2.html").read_text()
    assert re.search(r'<a href="\.\./m0/e0\.html">m0::e0 A loop', html)


def test_what_was_read_is_marked_and_the_next_is_offered(site):
    home = (site / "index.html").read_text()
    assert "Go on with m0/s1" in home
    assert "<strong>1 of " in (site / "progress.html").read_text()


def test_progress_counts_what_was_read_and_passed(site):
    text = (site / "progress.html").read_text()
    assert "<strong>1 of " in text.partition("sections read")[0]
    assert "<strong>1 of " in text.partition("sections read")[2].partition("exercises passed")[0]


def test_exercises_say_for_whom_they_are(site):
    html = (site / "m0" / "e0.html").read_text()
    assert "👨‍💻" in html
    assert "expected: all" in html
    assert "guide start m0::e0" in html


def test_search_knows_the_words(site):
    index = json.loads((site / "search.json").read_text())
    assert "coordinated omission" in json.dumps(index).lower()


def test_the_configuration_is_what_mkdocs_material_builds_too(tmp_path):
    assemble(course(only=["m0/s0"]), tmp_path)
    text = (tmp_path / "mkdocs.yml").read_text()
    keys = set(re.findall(r"^([a-z_]+):", text, re.M))
    known = {*("site_name", "site_description", "docs_dir", "site_dir", "use_directory_urls")}
    known |= {*("theme", "plugins", "extra_css", "markdown_extensions", "validation", "nav")}
    assert keys <= known
    assert "name: material" in text
    assert "font: false" in text


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[there](nowhere.md)", "page does not exist"),
        ("{figure: no-such}", "which nobody brings"),
        ("{listing: guide.clock:NoClock}", "has no 'NoClock'"),
        ("[down](#no-such-heading)", "no-such-heading|anchor"),
    ],
)
def test_what_is_broken_fails_and_leaves_no_site(tmp_path, text, what):
    with pytest.raises(GuideError, match=what):
        build(course(section(tmp_path, text), only=["m0/s0"]), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_broken_one_leaves_the_site_that_was_there(tmp_path):
    build(course(only=["m0/s0"]), tmp_path / "out")
    with pytest.raises(GuideError):
        build(course(section(tmp_path, "{figure: x}"), only=["m0/s0"]), tmp_path / "out")
    assert (tmp_path / "out" / "index.html").is_file()


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(GuideError, match="holds no site"):
        build(course(), tmp_path)
    assert (tmp_path / "thesis.tex").is_file()


def test_an_exercise_whose_files_link_to_each_other_has_no_broken_links(tmp_path):
    (tmp_path / "README.md").write_text("# It\n\nSee [the starter](starter.py) and `x`.\n")
    exercise = Exercise("m0::e8", "It", tmp_path, invited=("vision",))
    made = course(only=["m0/s0"])
    made = Course(made.tracks, made.sections, [exercise], made.everything)
    build(made, tmp_path / "out")
    assert "<code>the starter</code>" in (tmp_path / "out" / "m0" / "e8.html").read_text()


def test_the_command_says_where_it_is_and_what_is_next(main, tmp_path):
    code, out, _ = main("site", "--out", tmp_path / "here")
    assert code == 0
    assert "pages in" in out
    assert "Next: guide site --serve" in out
    assert main("site", "--track", "juggling")[0] == 2


def test_it_is_served_to_this_machine(start_guide, tmp_path):
    import urllib.request

    process = start_guide("site", "--serve", "--out", tmp_path / "here")
    for line in process.stdout:
        if found := re.search(r"http://127\.0\.0\.1:\d+/", line):
            break
    with urllib.request.urlopen(found[0] + "m1/s0.html") as page:
        assert b"How far away is memory?" in page.read()


@pytest.fixture(scope="module")
def address(site):
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.skipif(not CHROMIUM, reason="there is no browser")
class TestBrowser:
    @pytest.mark.parametrize("dark", [False, True])
    def test_it_follows_light_and_dark_and_fits_a_phone(self, address, tmp_path, dark):
        with browser(tmp_path / "profile") as page:
            for width, path in ((390, "m1/s0"), (390, "m0/s1"), (390, "index"), (1300, "m5/s1")):
                page.open(f"{address}/{path}.html", width=width, dark=dark)
                page.until(
                    "document.readyState == 'complete' && "
                    f"location.pathname == '/{path}.html' && "
                    "document.querySelector('.md-typeset') != null"
                )
                scheme = "slate" if dark else "default"
                page.until(f"document.body.dataset.mdColorScheme == '{scheme}'")
                assert page.get("document.documentElement.scrollWidth <= innerWidth"), path
            back = "getComputedStyle(document.querySelector('.guide-figure')).backgroundColor"
            assert (page.get(back) == "rgb(27, 33, 42)") == dark

    def test_a_curve_is_drawn(self, address, tmp_path):
        with browser(tmp_path / "profile") as page:
            page.open(f"{address}/m1/s0.html")
            box = "document.querySelector('.plot path.c0').getBoundingClientRect()"
            page.until("document.querySelector('.plot path.c0') != null")
            assert page.until(f"{box}.width > 200 && {box}.height > 50")
            stroke = "getComputedStyle(document.querySelector('.plot path.c0')).stroke"
            assert page.get(stroke) == "rgb(47, 111, 222)"

    def test_searching_finds_a_section(self, address, tmp_path):
        with browser(tmp_path / "profile") as page:
            page.open(f"{address}/index.html")
            page.until("document.readyState == 'complete'")
            page.until("document.querySelector('.md-search__button') != null")
            # Its field lies in a part of the page that document.activeElement does not see into.
            focus = "document.activeElement.shadowRoot?.activeElement?.tagName == 'INPUT'"
            click = "document.querySelector('.md-search__button').click()"
            page.until(f"({focus}) || ({click}, false)")
            page("Input.insertText", text="coordinated omission")
            page.until("document.body.innerText.includes('The stall that nobody saw')")
