import base64
import hashlib
import io
import itertools
import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest
from rich.console import Console

from coach.domain.guidance import Check, Guidance, Priority
from coach.domain.lift import Finding, Keyframe
from coach.domain.measures import Measure
from coach.domain.words import precision_word
from coach.report import EMBED_LIMIT_BYTES, frame_time_s, print_report, show_measure, table_rows, write_html
from tests.perception.made_up_lift import INSTANTS_S, make_report

HOSTILE = "a\"b'<script>alert(1)</script>&\n[red]\x1b[31m.mp4"


def make_guidance(**fields):
    given = {
        "language": "en",
        "writer": "rules",
        "strength": "The bar rose 1.15 m.",
        "priorities": (
            Priority(
                fault="forward_loop",
                observation="The bar swung 5.2 cm forward.",
                consequence="The catch lands in front.",
                cue="Brush the bar up your shirt.",
                drill="Snatch pull to a wall.",
                evidence=("bar_forward_loop_m",),
                sources=("nagao2022",),
                at_frame=70,
            ),
        ),
        "next_film": "From the side, at 60 frames per second.",
        "safety": "Stop if you feel pain.",
        "not_measured": (),
        "check": Check(numbers_found=3, numbers_supported=3, removed=("Spine load was 3 kN.",)),
    }
    return Guidance.model_validate(given | fields)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "keyframes").mkdir()
    (tmp_path / "plots").mkdir()
    (tmp_path / "annotated.mp4").write_bytes(b"a video")
    (tmp_path / "keyframes" / "lift1-catch.jpg").write_bytes(b"a picture")
    (tmp_path / "plots" / "lift1-bar_path.png").write_bytes(b"a plot")
    return tmp_path


def with_keyframe(report, path="keyframes/lift1-catch.jpg"):
    keyframe = Keyframe(instant="catch", frame=81, path=path)
    lift = report.lifts[0].model_copy(update={"keyframes": (keyframe,)})
    return report.model_copy(update={"lifts": (lift,)})


def page_of(report, guidance, folder, **options):
    return write_html(report, guidance, folder, **options).read_text(encoding="utf-8")


class Reader(HTMLParser):
    """Collects tags with attributes, and the text between them."""

    def __init__(self):
        super().__init__()
        self.tags, self.words, self.inside = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.inside.append(tag)

    def handle_endtag(self, tag):
        if tag in self.inside:
            while self.inside.pop() != tag:
                pass

    def handle_data(self, data):
        if not {"script", "style"} & set(self.inside):
            self.words.append(data)

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


def read(page):
    reader = Reader()
    reader.feed(page)
    return reader


def text_of(page):
    return " ".join(" ".join(read(page).words).split())


def test_the_page_needs_no_other_file_and_no_network(folder):
    page = page_of(with_keyframe(make_report()), {1: make_guidance()}, folder)
    addresses = [
        a[k] for _, a in read(page).tags for k in ("src", "href", "srcset", "poster", "action", "data") if k in a
    ]
    assert addresses
    assert all(address.startswith(("data:", "#")) for address in addresses)
    assert "http" not in re.sub(r"http-equiv", "", page)
    assert "@import" not in page
    assert "url(" not in page


def test_video_pictures_and_plots_are_inside_the_page(folder):
    page = page_of(with_keyframe(make_report()), {1: make_guidance()}, folder)
    assert "data:video/mp4;base64," + base64.b64encode(b"a video").decode() in page
    assert "data:image/jpeg;base64," + base64.b64encode(b"a picture").decode() in page
    assert "data:image/png;base64," + base64.b64encode(b"a plot").decode() in page


def test_the_policy_allows_only_this_script_and_this_style(folder):
    page = page_of(make_report(), {}, folder)
    policy = next(a["content"] for a in read(page).all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        assert f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}" in policy
    assert not any("style" in attrs or any(key.startswith("on") for key in attrs) for _, attrs in read(page).tags)


def test_a_large_video_is_read_from_the_file_beside_the_page(folder):
    page = page_of(make_report(), {}, folder, embed_limit_bytes=3)
    assert [a["src"] for a in read(page).all("video")] == ["annotated.mp4"]
    assert "too large to be part of this page" in text_of(page)
    assert EMBED_LIMIT_BYTES == 25_000_000


def test_without_a_video_there_is_no_player_and_nothing_to_jump_to(folder):
    (folder / "annotated.mp4").unlink()
    page = page_of(with_keyframe(make_report()), {1: make_guidance()}, folder)
    assert not read(page).all("video")
    assert not read(page).all("button")
    assert read(page).all("img")


def test_hostile_names_and_texts_are_shown_and_never_run(folder):
    report = make_report(file_name=HOSTILE).model_copy(update={"warnings": (HOSTILE,)})
    guidance = make_guidance(strength=HOSTILE, safety=HOSTILE, next_film=HOSTILE, writer=HOSTILE)
    page = page_of(report, {1: guidance}, folder)
    assert len(read(page).all("script")) == 1
    assert "<script>alert" not in page
    assert "\x1b" not in page
    assert "a\"b'<script>alert(1)</script>&" in text_of(page)


def test_a_key_frame_outside_the_folder_is_not_read(folder):
    secret = folder.parent / "secret.jpg"
    secret.write_bytes(b"secret")
    page = page_of(with_keyframe(make_report(), "../secret.jpg"), {}, folder)
    assert base64.b64encode(b"secret").decode() not in page
    assert "Key frames" not in text_of(page)


def test_the_coach_speaks_first_and_safety_comes_last(folder):
    page = text_of(page_of(with_keyframe(make_report()), {1: make_guidance()}, folder))
    order = [
        "What went well",
        "Brush the bar up your shirt.",
        "The lift",
        "Key frames",
        "Plots",
        "What was measured",
        "Not measured, and why",
        "To know about this clip",
        "How it was measured",
        "Stop if you feel pain.",
    ]
    places = [page.index(words) for words in order]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("level", "confidence", "coloured"),
    [("fault", 0.8, True), ("fault", 0.79, False), ("watch", 0.95, False), ("fault", 0.1, False)],
)
def test_only_a_sure_fault_is_coloured(folder, level, confidence, coloured):
    finding = Finding(fault="forward_loop", level=level, measures=("bar_forward_loop_m",), confidence=confidence)
    page = page_of(make_report(findings=(finding,)), {1: make_guidance()}, folder)
    classes = [attrs["class"].split() for attrs in read(page).all("article")]
    assert [("is-clear" in names) for names in classes] == [coloured]
    assert ("tag tag-clear" in page) == coloured


def test_every_instant_has_a_button_that_knows_its_time(folder):
    report = make_report()
    buttons = [a for a in read(page_of(report, {}, folder)).all("button") if a.get("class") == "jump"]
    assert [float(a["data-time"]) for a in buttons] == pytest.approx(
        [report.lifts[0].instants[name].time_s for name in INSTANTS_S], abs=1e-3
    )


def test_an_instant_that_was_not_found_has_no_button(folder):
    report = make_report(instants_s=INSTANTS_S | {"catch": None})
    assert "catch 2.7" not in text_of(page_of(report, {}, folder))


def test_every_measure_stands_in_the_table_with_its_interval(folder):
    report = make_report()
    page = text_of(page_of(report, {}, folder))
    for row in table_rows(report.lifts[0]):
        assert f"{row.shown.with_unit} {row.shown.interval} {row.source} {row.precision}" in page
    assert len(table_rows(report.lifts[0])) == len(report.lifts[0].measures)


def test_every_reason_for_not_measuring_is_given(folder):
    page = text_of(page_of(make_report(), {}, folder))
    assert "the mass of the bar was not given work on the bar; peak force on the bar" in page


def test_a_clip_without_a_lift_says_how_to_film(folder):
    page = text_of(page_of(make_report().model_copy(update={"lifts": ()}), {}, folder))
    assert "No lift was found in this clip" in page
    assert "from the side" in page


def test_two_lifts_are_told_apart(folder):
    report = make_report()
    second = make_report(number=2, lift="jerk", outcome="not_caught").lifts[0]
    page = text_of(
        page_of(report.model_copy(update={"lifts": (report.lifts[0], second)}), {1: make_guidance()}, folder)
    )
    assert "Snatch 1, caught · Jerk 2, not caught" in page
    assert "What was measured: Jerk 2" in page


def test_pictures_have_words_and_headings_do_not_skip_a_level(folder):
    reader = read(page_of(with_keyframe(make_report()), {1: make_guidance()}, folder))
    assert all(attrs.get("alt") for attrs in reader.all("img"))
    levels = [int(tag[1]) for tag, _ in reader.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b <= a + 1 for a, b in itertools.pairwise(levels))
    assert all(attrs.get("type") == "button" for attrs in reader.all("button"))


def test_the_words_of_the_coach_carry_their_language(folder):
    page = page_of(make_report(), {1: make_guidance(language="zh-Hant", strength="槓鈴升到1.15公尺。")}, folder)
    assert 'lang="zh-Hant"' in page
    assert "槓鈴升到1.15公尺。" in page


def test_text_stands_out_from_its_background_in_light_and_dark(folder):
    css = re.findall(r"<style>(.*?)</style>", page_of(make_report(), {}, folder), re.DOTALL)[0]
    themes = re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    assert len(themes) == 2
    for theme in themes:
        colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", theme))
        pairs = [("ink", "page"), ("ink", "card"), ("muted", "page"), ("muted", "card"), ("accent", "page")]
        pairs += [("accent", "accent-soft"), ("good", "good-soft"), ("amber", "amber-soft"), ("ink", "good-soft")]
        pairs += [("ink", "accent-soft"), ("ink", "button"), ("muted", "button"), ("accent", "card")]
        for ink, paper in pairs:
            assert contrast(colours[ink], colours[paper]) >= 4.5, (ink, paper)


def contrast(a, b):
    """Contrast ratio of two colours. Source: WCAG 2.2, relative luminance."""

    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(
    ("key", "value", "half", "unit", "shown", "interval"),
    [
        ("bar_max_height_m", 1.15, 0.06, "m", "1.15 m", "1.09 to 1.21"),
        ("bar_max_height_m", 0.98, 0.06, "m", "0.98 m", "0.92 to 1.04"),
        ("bar_drop_m", 0.13, 0.02, "m", "13 cm", "11 to 15"),
        ("bar_forward_loop_m", -0.004, 0.012, "m", "0 cm", "−2 to 1"),
        ("bar_forward_loop_m", 0.052, 0.003, "m", "5.2 cm", "4.9 to 5.5"),
        ("knee_angle_start_deg", 82.4, 9.0, "deg", "82°", "73 to 91"),
        ("transition_velocity_loss_ratio", 0.04, 0.03, "1", "4 %", "1 to 7"),
        ("bar_impulse_n_s", 150.2, 8.0, "N s", "150 N s", "142 to 158"),
        ("free_fall_gravity_m_s2", 9.7, 0.4, "m/s2", "9.7 m/s²", "9.3 to 10.1"),
    ],
)
def test_a_measure_is_shown_in_the_unit_a_person_would_use(key, value, half, unit, shown, interval):
    measure = Measure(value=value, unit=unit, low=value - half, high=value + half, source="plate")
    assert show_measure(key, measure).with_unit == shown
    assert show_measure(key, measure).interval == interval


def test_a_wider_interval_is_never_called_more_exact():
    order = ["precise", "fair", "rough"]
    for unit, value in (("m", 1.1), ("m", 0.02), ("m/s", 1.8), ("deg", 80.0), ("s", 0.6), ("N", 900.0), ("1", 0.0)):
        words = [
            precision_word(Measure(value=value, unit=unit, low=value - w, high=value + w, source="hands"))
            for w in (0.0, 0.001, 0.01, 0.03, 0.1, 0.3, 1.0, 10.0, 1000.0)
        ]
        assert [order.index(word) for word in words] == sorted(order.index(word) for word in words)
        assert words[0] == "precise"
        assert words[-1] == "rough"


def test_the_time_of_a_frame_is_counted_from_the_nearest_instant():
    report = make_report()
    lift = report.lifts[0]
    peak = lift.instants["peak_velocity"]
    assert frame_time_s(report, lift, peak.frame) == peak.time_s
    assert frame_time_s(report, lift, peak.frame + 2) == pytest.approx(peak.time_s + 2 / 29.97)
    empty = lift.model_copy(update={"instants": {}})
    assert frame_time_s(report, empty, 60) == pytest.approx(60 / 29.97)


def printed(report, guidance, width=100):
    console = Console(file=io.StringIO(), width=width, force_terminal=False, color_system=None)
    print_report(report, guidance, console)
    return console.file.getvalue()


def test_the_terminal_shows_guidance_measures_gaps_and_warnings():
    text = printed(make_report(), {1: make_guidance()})
    for words in (
        "Snatch, caught",
        "The bar rose 1.15 m.",
        "Brush the bar up your shirt.",
        "clearly seen",
        "1.86 m/s",
        "1.75 to 1.97",
        "the mass of the bar was not given",
        "A second person is in the picture",
        "Stop if you feel pain.",
    ):
        assert words in text


def test_the_terminal_shows_square_brackets_and_swallows_escapes():
    report = make_report().model_copy(update={"warnings": (HOSTILE,)})
    text = printed(report, {1: make_guidance(strength="Keep [bold]this[/bold]\x1b[2J")})
    assert "Keep [bold]this[/bold]" in text
    assert "[red]" in text
    assert "\x1b" not in text


def test_the_terminal_says_when_no_lift_was_found():
    assert "No lift was found" in printed(make_report().model_copy(update={"lifts": ()}), {})


def test_the_report_is_written_without_numpy_and_without_perception():
    script = "import coach.report, sys; sys.exit(any(m.split('.')[0] in ('numpy', 'perception', 'cv2') for m in sys.modules))"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
