from pathlib import Path

from stack.apt_sources import debian_source, parse_deb822, parse_list

DEB822 = """\
Types: deb deb-src
# a comment inside a paragraph
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
"""


def test_the_one_line_format_gives_address_suite_components_and_keyring() -> None:
    text = (
        "# old\n\ndeb [arch=amd64 signed-by=/k.gpg] https://mirror.example/debian trixie main contrib # x\n"
    )
    (source,) = parse_list(text)
    assert (source.uri, source.suites, source.components) == (
        "https://mirror.example/debian",
        ("trixie",),
        ("main", "contrib"),
    )
    assert source.signed_by == "/k.gpg"
    assert parse_list("deb-src http://mirror.example/debian trixie main") == []


def test_the_deb822_format_gives_one_source_per_address() -> None:
    first, second = parse_deb822(DEB822)
    assert first.suites == ("bookworm", "bookworm-updates")
    assert first.signed_by == "/usr/share/keyrings/debian-archive-keyring.gpg"
    assert second.uri.endswith("debian-security")


def test_a_disabled_source_and_one_of_source_packages_do_not_count() -> None:
    assert parse_deb822(DEB822.replace("Types: deb deb-src", "Types: deb-src"))[0].uri.endswith("security")
    assert parse_deb822("Enabled: no\n" + DEB822)[0].uri.endswith("security")


def test_a_keyring_inside_the_source_is_left_to_the_trusted_keyrings() -> None:
    fields = "Types: deb\nURIs: http://m.example/debian\nSuites: sid\nComponents: main"
    inlined = f"{fields}\nSigned-By:\n -----BEGIN\n .\n x\n"
    assert parse_deb822(inlined)[0].signed_by is None


def test_the_first_debian_entry_wins_over_vendors_that_use_debian_suite_names(tmp_path: Path) -> None:
    vendor = tmp_path / "a.list"
    vendor.write_text(
        "deb https://apt.vendor.example bookworm main\ndeb https://x.example/debian nodistro main\n"
    )
    debian = tmp_path / "debian.sources"
    debian.write_text(DEB822)
    found = debian_source([vendor, debian])
    assert found is not None
    assert found.uri == "http://mirror.example/debian"


def test_a_machine_without_a_debian_entry_has_the_mirror_that_is_asked_for_or_none(tmp_path: Path) -> None:
    other = tmp_path / "ubuntu.list"
    other.write_text("deb http://archive.ubuntu.example/ubuntu noble main\n")
    assert debian_source([other]) is None
    asked = debian_source([other], "http://mirror.example/debian")
    assert asked is not None
    assert asked.as_line("sid").endswith("http://mirror.example/debian sid main\n")


def test_the_line_for_sid_keeps_mirror_and_keyring() -> None:
    source = parse_deb822(DEB822)[0]
    keyring = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"
    assert source.as_line("sid") == f"deb {keyring} http://mirror.example/debian sid main\n"
