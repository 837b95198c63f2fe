"""Draws the gallery of phenomena on one sheet: ``uv run python docs/examples/phenomena.py``; about a minute."""

from pathlib import Path

from meanwatt.analysis.figures.saved import image
from meanwatt.analysis.phenomena.catalogue import PHENOMENA
from meanwatt.analysis.phenomena.figure import gallery_sheet
from meanwatt.analysis.phenomena.gallery import run_gallery
from meanwatt.model.progress.watch import Watch

IMAGE = Path(__file__).parents[1] / "images" / "phenomena.png"

if __name__ == "__main__":
    IMAGE.write_bytes(image(gallery_sheet(list(run_gallery(PHENOMENA, Watch()))), "png"))
