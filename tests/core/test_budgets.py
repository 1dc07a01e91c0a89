import pytest

from guide.budgets import Budget, Budgets
from guide.cli.typed import parse_budget
from guide.energy import ModelMeter
from guide.errors import UsageError
from guide.resources import ProcessMeter, Reading, Sampler


def memory(value, name="memory"):
    return Reading(name, value, "B", "level", "statm")


def joules(value, low=None, high=None, source="rapl"):
    return Reading("energy.cpu", value, "J", "total", source, low, high)


class TestTyping:
    @pytest.mark.parametrize(
        ("name", "text", "limit", "unit"),
        [
            ("energy", "50J", 50, "J"),
            ("energy", "50", 50, "J"),
            ("energy", "2kJ", 2000, "J"),
            ("energy", "0.5Wh", 1800, "J"),
            ("energy", "1 kWh", 3.6e6, "J"),
            ("energy", ".5j", 0.5, "J"),
            ("memory", "2GB", 2e9, "B"),
            ("memory", "500MB", 5e8, "B"),
            ("memory", "1GiB", 2**30, "B"),
            ("memory", "1.5 tib", 1.5 * 2**40, "B"),
            ("memory", "900kb", 9e5, "B"),
            ("memory", "4096b", 4096, "B"),
            ("time", "90s", 90, "s"),
            ("time", "45", 45, "s"),
            ("time", "10m", 600, "s"),
            ("time", "1h30m", 5400, "s"),
            ("time", " 1h 2min 3.5s ", 3723.5, "s"),
            ("time", "250ms", 0.25, "s"),
        ],
    )
    def test_what_a_person_types(self, name, text, limit, unit):
        assert parse_budget(name, text) == Budget(name, pytest.approx(limit), unit)

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("energy", ""),
            ("energy", "fifty"),
            ("energy", "0J"),
            ("energy", "-5J"),
            ("energy", "5,5J"),
            ("energy", "5GB"),
            ("energy", "nan"),
            ("energy", "infJ"),
            ("energy", "J"),
            ("energy", "9" * 400),
            ("memory", "500"),
            ("memory", "2GBytes"),
            ("memory", "1.2.3GB"),
            ("time", "1h30"),
            ("time", "45 30"),
            ("time", "10 m!"),
            ("time", "٣s x"),
        ],
    )
    def test_what_is_no_amount_is_one_line_with_what_to_type(self, name, text):
        with pytest.raises(UsageError) as error:
            parse_budget(name, text)
        assert error.value.message == f"--{name}-budget {text}: not an amount above 0"
        assert error.value.remedy.startswith("type ")


class TestMemory:
    def budgets(self):
        return Budgets([Budget("memory", 2e9, "B")])

    def test_it_warns_once_at_80_percent_and_is_spent_once_at_100(self):
        budgets = self.budgets()
        said = [budgets.check([memory(gb * 1e9)], 0) for gb in (1.5, 1.6, 1.7, 2.0, 2.1)]
        assert said == [
            [],
            ["memory: 1.60 GB of 2 GB, 80 % of the budget"],
            [],
            ["memory: 2 GB of 2 GB, the budget is spent"],
            [],
        ]
        assert budgets.spent == "memory budget"

    def test_a_leap_over_both_is_one_line(self):
        budgets = self.budgets()
        assert len(budgets.check([memory(3e9)], 0)) == 1

    def test_a_peak_between_two_samples_counts(self):
        budgets = self.budgets()
        budgets.check([memory(1e9), memory(2.5e9, "memory.peak")], 0)
        assert budgets.spent == "memory budget"

    def test_children_count_where_a_meter_counts_them(self):
        budgets = self.budgets()
        readings = [memory(1.5e9), memory(1.5e9, "memory.peak"), memory(4e8, "memory.children")]
        assert budgets.check(readings, 0) == ["memory: 1.90 GB of 2 GB, 95 % of the budget"]

    def test_what_was_used_stays_used_when_it_is_given_back(self):
        budgets = self.budgets()
        budgets.check([memory(1.7e9)], 0)
        budgets.check([memory(1e8)], 0)
        (row,) = budgets.record()
        assert (row["used"], row["state"]) == (1.7e9, "warned")

    def test_memory_of_a_gpu_is_another_thing(self):
        budgets = self.budgets()
        assert budgets.check([memory(1e8), memory(9e9, "memory.gpu0")], 0) == []


class TestEnergy:
    def test_joules_that_were_measured(self):
        budgets = Budgets([Budget("energy", 50, "J")])
        assert budgets.check([joules(39)], 0) == []
        assert budgets.check([joules(41)], 0) == ["energy: 41 J of 50 J, 82 % of the budget"]
        assert budgets.check([joules(50.4)], 0) == ["energy: 50.4 J of 50 J, the budget is spent"]

    def test_a_range_warns_with_its_high_end_and_is_spent_with_its_low_end(self):
        budgets = Budgets([Budget("energy", 50, "J")])
        assert budgets.check([joules(22, 4, 39.9, "model")], 0) == []
        assert budgets.check([joules(22.5, 4, 41, "model")], 0) == [
            "energy: 4 J to 41 J (model) of 50 J, maybe 82 % of the budget"
        ]
        assert budgets.check([joules(200, 49, 400, "model")], 0) == []
        assert budgets.spent == ""
        assert budgets.check([joules(300, 51, 500, "model")], 0) == [
            "energy: 51 J to 500 J (model) of 50 J, the budget is spent"
        ]
        assert budgets.spent == "energy budget"

    def test_sources_add_up_as_bounds_and_all_are_named(self):
        budgets = Budgets([Budget("energy", 50, "J")])
        budgets.check([joules(6, 2, 10, "model"), joules(45, source="nvml")], 0)
        (row,) = budgets.record()
        assert (row["low"], row["used"], row["high"]) == (47, 51, 55)
        assert row["source"] == "model + nvml"
        assert row["state"] == "warned"


class TestTime:
    def test_time_is_that_of_the_run(self):
        budgets = Budgets([parse_budget("time", "90s")])
        said = [budgets.check([], s) for s in (0, 71.9, 72, 89.9, 90)]
        assert said == [
            [],
            [],
            ["time: 72 s of 90 s, 80 % of the budget"],
            [],
            ["time: 90 s of 90 s, the budget is spent"],
        ]
        assert budgets.spent == "time budget"


class TestSeveral:
    def test_the_record_says_how_each_stands(self):
        budgets = Budgets([Budget("time", 10, "s"), Budget("memory", 1e9, "B")])
        assert budgets.record()[0]["state"] == "kept"
        budgets.check([memory(2e8)], 9)
        assert budgets.record() == [
            {
                "name": "time",
                "limit": 10,
                "unit": "s",
                "used": 9,
                "low": None,
                "high": None,
                "source": "clock",
                "state": "warned",
            },
            {
                "name": "memory",
                "limit": 1e9,
                "unit": "B",
                "used": 2e8,
                "low": None,
                "high": None,
                "source": "statm",
                "state": "kept",
            },
        ]

    def test_none_is_never_spent(self):
        budgets = Budgets([])
        assert (budgets.check([], 1e9), budgets.spent, budgets.record()) == ([], "", [])


class TestMeters:
    def test_a_budget_that_nothing_measures_is_an_error_before_the_run(self):
        budgets = Budgets([Budget("energy", 50, "J"), Budget("time", 9, "s")])
        with pytest.raises(UsageError, match="--energy-budget: nothing here measures energy"):
            budgets.require([memory(1)])
        budgets.require([joules(0)])

    def test_a_meter_that_stops_is_said_once_and_what_was_used_stays(self):
        budgets = Budgets([Budget("memory", 1e9, "B")])
        budgets.check([memory(9e8)], 0)
        assert budgets.check([], 0) == ["memory: nothing measures it any more, so no budget"]
        assert budgets.check([], 0) == []
        assert (budgets.record()[0]["used"], budgets.spent) == (9e8, "")

    def test_the_meters_of_a_run_measure_all_budgets(self):
        budgets = Budgets([parse_budget("energy", "1kWh"), parse_budget("memory", "1TB")])
        meters = [ProcessMeter(children=True), ModelMeter()]
        sampler = Sampler(meters, lambda: 0, on_sample=lambda: None)
        sampler.sample()
        budgets.require(sampler.latest())
        assert budgets.check(sampler.latest(), 1.0) == []
        assert budgets.record()[1]["used"] > 1e6
