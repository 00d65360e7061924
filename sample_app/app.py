"""The web process: a page to draw a digit on, and `POST /predict`, which says which digit 64 pixels show.

It keeps nothing between requests, so any number of instances can serve side by side.
"""

import html
import os
from typing import Annotated

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from digits import FOLDER, INK, PIXELS
from model import likeliest, load

MODEL = load()  # once, at boot: an unsound model never opens the port

# The page needs nothing from elsewhere, and this has the browser hold it to that.
ONLY_ITSELF = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:"

app = FastAPI(
    title="Digits",
    summary="A small network that reads handwritten digits.",
    version=MODEL.about["sha256"][:12],
)


class Drawing(BaseModel):
    """8 rows of 8 pixels, from the top left."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"pixels": [0, 0, 5, 13, 9, 1, 0, 0] * 8}})

    pixels: Annotated[
        list[Annotated[int, Field(strict=True, ge=0, le=INK)]],
        Field(min_length=PIXELS, max_length=PIXELS, description=f"0 is paper, {INK} is ink"),
    ]


class ServedBy(BaseModel):
    """Which release and instance answered; null outside Wherry."""

    release: str | None
    instance: str | None


class Prediction(BaseModel):
    digit: int
    probabilities: Annotated[list[float], Field(description="of 0, 1, ... 9, to four decimals")]
    served_by: ServedBy


class Refusal(BaseModel):
    error: str
    fix: str


def served_by() -> ServedBy:
    env = os.environ
    return ServedBy(release=env.get("WHERRY_RELEASE"), instance=env.get("WHERRY_INSTANCE") or env.get("HOSTNAME"))


def page() -> str:
    """The page with this instance's name and the model's score written in."""
    who = served_by()
    words = {
        "{{instance}}": who.instance or "this computer",
        "{{release}}": who.release or "",
        "{{accuracy}}": f"{MODEL.about['accuracy'] * 100:.1f}\N{NO-BREAK SPACE}%",
    }
    text = (FOLDER / "page.html").read_text(encoding="utf-8")
    for mark, word in words.items():
        text = text.replace(mark, html.escape(word))
    return text


PAGE = HTMLResponse(page(), headers={"Content-Security-Policy": ONLY_ITSELF, "Cache-Control": "no-cache"})


async def show_page(_request: Request) -> HTMLResponse:
    return PAGE


app.add_route("/", show_page, include_in_schema=False)  # a plain route, which answers HEAD too


@app.post("/predict", responses={422: {"model": Refusal}})
async def predict(drawing: Drawing) -> Prediction:
    """Which digit the pixels show, and how likely each of the ten is."""
    # async, though it computes: 0.2 ms is less than the way to a thread and back
    probabilities = MODEL.probabilities(drawing.pixels)
    return Prediction(
        digit=likeliest(probabilities),
        probabilities=[round(probability, 4) for probability in probabilities],
        served_by=served_by(),
    )


@app.get("/model")
async def about_model() -> dict:
    """What the model is: its classes, its accuracy, when it was trained, and from what."""
    return MODEL.about


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    """200 once the model is loaded."""
    return {"status": "ok", "model": MODEL.about["sha256"][:12]}


@app.exception_handler(RequestValidationError)
async def refuse(_request: Request, error: RequestValidationError) -> JSONResponse:
    # FastAPI's own answer has a paragraph for each of the 64 pixels, with the input in it again
    refusal = Refusal(error=sentence(error.errors()), fix=FIX)
    return JSONResponse(refusal.model_dump(), status_code=422)


FIX = f'send {{"pixels": [...]}} with {PIXELS} whole numbers from 0 to {INK}, as Content-Type: application/json'


def sentence(problems: list[dict]) -> str:
    """The first problem, where it is, and how many more there are."""
    first, more = problems[0], len(problems) - 1
    return explained(first) + (f" (and {more} more)" if more else "")


def explained(problem: dict) -> str:
    match problem["type"], problem["loc"][1:]:
        case "json_invalid", (place, *_):
            return f"the body is not JSON: {problem['ctx']['error']} at character {place}"
        case _, ():
            return "the body is not a JSON object"
        case "too_short" | "too_long", _:
            return f"pixels holds {problem['ctx']['actual_length']} numbers, not {PIXELS}"
        case _, (name, *index):
            return f"{name}{''.join(f'[{place}]' for place in index)}: {problem['msg']}"
