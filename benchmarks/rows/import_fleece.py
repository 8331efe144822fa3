"""``import fleece`` beside an interpreter that does nothing: the CPU time of the whole process."""

from __future__ import annotations

from harness.model import Command, Contestant, Extra, Row
from harness.peers import FLEECE

ROW = Row(
    work="import of fleece itself",
    rounds=21,
    contestants=(
        Contestant("fleece", FLEECE, Command(("python", "-I", "-c", "import fleece"))),
        Contestant("bare interpreter", FLEECE, Command(("python", "-I", "-c", ""))),
    ),
    bars=(Extra("fleece", "bare interpreter", 5e-3),),
)
