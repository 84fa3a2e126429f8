"""What may be typed after `shoal`, and what is said about anything else."""

from __future__ import annotations

import pytest

from actors.command_line import COMMANDS, BadArguments, parse


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("rnu", "shoal: unknown command 'rnu'; did you mean run?"),
        ("", "shoal: the following arguments are required: COMMAND; see `shoal --help`"),
        ("run --liv", "shoal: unrecognized arguments: --liv; see `shoal --help`"),
        (
            "run --for never",
            "shoal run: argument --for: 'never' is not a number of seconds above 0; see "
            "`shoal run --help`",
        ),
        (
            "sim --port 65536",
            "shoal sim: argument --port: '65536' is not a port from 0 to 65535; see "
            "`shoal sim --help`",
        ),
        (
            "sim --speed fast",
            "shoal sim: argument --speed: 'fast' is not a number from 0 on; see "
            "`shoal sim --help`",
        ),
        (
            "sim --certificate x",
            "shoal: unrecognized arguments: --certificate x; see `shoal --help`",
        ),
        (
            "sim --key canary",
            "shoal sim: argument --key: must be NAME:SECRET (yours is not shown); see "
            "`shoal sim --help`",
        ),
        (
            "halt one my.toml --reason r other.toml",
            "shoal: unrecognized arguments: other.toml; see `shoal --help`",
        ),
        (
            "halt one --reason r my.toml other.toml",
            "shoal: unrecognized arguments: my.toml other.toml; see `shoal --help`",
        ),
        (
            "pause",
            "shoal pause: the following arguments are required: BOT; see "
            "`shoal pause --help`",
        ),
    ],
)
def test_what_cannot_be_understood_is_one_line(typed: str, said: str) -> None:
    with pytest.raises(BadArguments) as caught:
        parse(typed.split())
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (
            "run",
            {"file": "bots.toml", "live": False, "log_format": "human", "for_s": None},
        ),
        (
            "run my.toml --live --log-format json --for 60",
            {"file": "my.toml", "live": True, "log_format": "json", "for_s": 60.0},
        ),
        ("status --json", {"file": "bots.toml", "json": True}),
        (
            "log -f --events --actor bots/bot:one --bot one --run 7 --json my.toml",
            {
                "file": "my.toml",
                "follow": True,
                "events": True,
                "actor": "bots/bot:one",
                "bot": "one",
                "run": "7",
                "json": True,
            },
        ),
        ("flatten one --yes my.toml", {"subject": "one", "yes": True, "file": "my.toml"}),
        ("halt one my.toml --reason odd", {"reason": "odd", "file": "my.toml"}),
        ("settle c1 --as canceled --reason r my.toml", {"file": "my.toml"}),
        ("stop one", {"subject": "one", "reason": "", "file": "bots.toml"}),
        ("crash feed:binance", {"actor": "feed:binance", "file": "bots.toml"}),
        (
            "sim --exchange binance --port 0 --seed 7 --replay a b --speed 2.5 --faults f "
            "--key k:s:t",
            {
                "exchange": "binance",
                "host": "127.0.0.1",
                "port": 0,
                "seed": 7,
                "replay": ["a", "b"],
                "speed": 2.5,
                "faults": "f",
                "key": [("k", "s:t")],
            },
        ),
    ],
)
def test_what_is_typed_is_understood(typed: str, meant: dict[str, object]) -> None:
    found = vars(parse(typed.split()))
    assert {name: found[name] for name in meant} == meant


def test_a_reason_from_a_terminal_of_another_encoding_halts_nevertheless() -> None:
    found = parse(["halt", "main", "--reason", "caf\udce9"])
    assert found.reason == r"caf\udce9"


def test_no_option_may_be_shortened() -> None:
    with pytest.raises(BadArguments):
        parse(["log", "--event"])


def test_help_has_one_line_for_each_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        parse(["--help"])
    lines = capsys.readouterr().out.splitlines()
    shown = [line.split()[0] for line in lines if line.startswith("    ")]
    assert shown == list(COMMANDS)
