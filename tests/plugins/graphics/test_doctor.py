from guide_graphics import doctor


def test_every_finding_that_is_not_ok_says_what_to_do():
    found = doctor.findings()
    assert [f.name for f in found] == [
        "OpenGL",
        "display",
        "software renderer",
        "compiled kernels",
    ]
    assert all(f.remedy for f in found if f.status != "ok")


def test_the_driver_is_named_and_one_that_draws_on_the_cpu_is_called_so():
    finding = doctor.opengl()
    assert " on " in finding.detail
    if "llvmpipe" in finding.detail:
        assert finding.status == "note"
        assert "CPU" in finding.detail


def test_a_lack_of_opengl_is_no_problem(monkeypatch):
    from guide.errors import GuideError

    def none():
        raise GuideError("no OpenGL 3.3 context", "install a driver")

    monkeypatch.setattr(doctor, "open_context", none)
    finding = doctor.opengl()
    assert finding.status == "note"
    assert "software works" in finding.detail
    assert finding.remedy == "install a driver"


def test_no_display_is_noted(monkeypatch):
    monkeypatch.setattr(doctor, "has_display", lambda: False)
    assert doctor.display().status == "note"
