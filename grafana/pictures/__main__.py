"""`python -m grafana.pictures`: draw docs/images from a system of its own, or from a Prometheus that runs."""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path

from grafana.generate import FOLDER
from grafana.live import Prometheus, Window
from grafana.pictures.draw import draw
from grafana.pictures.scene import play, running_system

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
STEP = 5.0
SCRAPE_INTERVAL = 5.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw every dashboard."""
    options = _parser().parse_args(arguments)
    if options.prometheus:
        _draw(options.prometheus, options.minutes, options.scrape_interval, options.to)
        return
    with running_system() as stack:
        play(stack, options.minutes * 60, print)
        url = f"http://127.0.0.1:{stack.ports['prometheus']}"
        _draw(url, options.minutes, SCRAPE_INTERVAL, options.to)


def _draw(url: str, minutes: float, scrape_interval: float, folder: Path) -> None:
    end = time.time() // STEP * STEP
    window = Window(end - minutes * 60 // STEP * STEP, end, STEP, scrape_interval)
    for file in sorted(FOLDER.glob("*.json")):
        picture = folder / f"grafana-{file.stem.removeprefix('conveyor-')}.png"
        draw(json.loads(file.read_text(encoding="utf-8")), Prometheus(url), window, picture)
        print(picture)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m grafana.pictures", description=__doc__)
    parser.add_argument("--prometheus", metavar="URL", help="ask this one instead of starting a system")
    parser.add_argument(
        "--scrape-interval",
        type=float,
        default=SCRAPE_INTERVAL,
        metavar="SECONDS",
        help="the pause between two scrapes of that one",
    )
    parser.add_argument("--minutes", type=float, default=6, help="the time that is shown")
    parser.add_argument("--to", type=Path, default=IMAGES, metavar="FOLDER", help="where the pictures go")
    return parser


if __name__ == "__main__":
    main()
