"""Whether what a study misses can be had is known before it starts."""

import pytest

pytest.importorskip("pooch")

from bandpress.datasets.answers import Patience
from bandpress.datasets.inventory import inventory
from bandpress.datasets.reach import asked
from bandpress.study.missing import missing_table, must_be_brought
from bandpress.study.schema import Study
from loopback import Loopback

HASTE = Patience(connect=0.5, stall=0.5, tries=2, pause=0.01)


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("BANDPRESS_DATA", str(tmp_path / "data"))


def study(**source):
    return Study(
        study="one",
        title="One set",
        datasets={
            "Set": {
                "sensor": "AVIRIS",
                "role": "test",
                "licence": "none",
                "citation": "none",
                "source": source,
            }
        },
        codecs={"jpeg2000": {"codec": "jpeg2000", "rates": [1.0]}},
    )


def told(of, **options):
    return asked(of, inventory(of), patience=HASTE, **options)


def test_a_set_that_a_page_offers_stays_to_be_fetched():
    with Loopback() as site:
        site.offer("Set.zip", b"x" * 100)
        of = study(page=site.page("p.html", '<a href="Set.zip">Set</a>'), match=["Set"])
        (item,) = told(of)
        assert item.action == "page"
        assert not must_be_brought([item])
        assert not any(path.endswith(".zip") for path, _ in site.requests), "asked for, not sent"


def test_a_set_whose_pages_cannot_be_reached_is_to_be_brought_by_hand():
    with Loopback() as site:
        address = site.address
    of = study(page=f"{address}/p.html", match=["Set"])
    (item,) = told(of)
    assert item.action == "hand"
    text = missing_table("one", [item])
    assert "nothing was started" in text
    assert f"cannot be fetched: {address}/p.html: the connection failed" in text


def test_a_page_without_the_set_says_which_links_it_has():
    with Loopback() as site:
        site.offer("Other.zip", b"x")
        (item,) = told(study(page=site.page("p.html", '<a href="Other.zip">Other</a>'), match=["Set"]))
    assert item.action == "hand"
    assert "no link for Set" in item.obstacle
    assert "Other.zip" in item.obstacle


def test_downloads_over_the_limit_need_consent():
    with Loopback() as site:
        of = study(url=[site.offer("a.npy", b"x" * 600), site.offer("b.npy", b"x" * 600)])
        assert told(of, most=1200)[0].action == "download"
        (item,) = told(of, most=1199)
        assert told(of)[0].action == "download"
    assert item.action == "consent"
    assert must_be_brought([item])
    assert "1.2 kB" in item.obstacle
    assert "download=yes" in item.obstacle


def test_a_file_is_missing_only_if_its_mirrors_do_not_answer_either():
    with Loopback() as site:
        gone = site.offer("a.npy", b"x")
    assert told(study(url=[gone]))[0].action == "hand"
    with Loopback() as site:
        of = study(url=[gone], mirrors=[site.offer("a.npy", b"x")])
        assert told(of)[0].action == "download"
    assert told(of)[0].action == "hand"
