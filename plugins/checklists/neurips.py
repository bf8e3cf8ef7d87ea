"""The NeurIPS paper checklist, in the form of 2024 and 2025: sixteen items, in short words of our own."""

from __future__ import annotations

from dpo_report.plugins.checklists import evidence
from dpo_report.plugins.checklists.items import Item

NAME = "neurips"
ITEMS = (
    Item("1", "Claims", "Do abstract and introduction claim what the paper shows, and no more?",
         "Do they claim no more than this? dpo-report check compares the paper with the run.", evidence.claims),
    Item("2", "Limitations", "Does the paper discuss the limits of the work?",
         "Where are the limits discussed?", evidence.limits),
    Item("3", "Theory", "Has every theoretical result its assumptions and a complete proof?",
         "Yours to answer, NA where the paper has no theorem: no training run bears on this."),
    Item("4", "Reproducibility", "Is everything told that is needed to reproduce the main results?",
         "Tell what is missing here, and answer.", evidence.settings),
    Item("5", "Data and code", "Are data and code open, with instructions that reproduce the results?",
         "Where can code and data be had?", evidence.artefacts),
    Item("6", "Experimental setting", "Are splits, hyper-parameters and how they were chosen told?",
         "How were the values chosen: ranges, trials, criterion?", evidence.tuning),
    Item("7", "Statistical significance", "Are error bars or tests given, and is it said what they cover?",
         "What do the error bars cover, and how were they computed?", evidence.spread),
    Item("8", "Compute", "Are hardware, memory, time of each run and the cost of the whole project told?",
         "Tell what is missing here, and answer.", evidence.compute),
    Item("9", "Code of ethics", "Does the work keep to the code of ethics of the conference?",
         "Yours to answer: no training run bears on this."),
    Item("10", "Broader impacts", "Are good and bad consequences for society discussed?",
         "Where are they discussed?", evidence.purpose),
    Item("11", "Safeguards", "Is what could be misused released with safeguards?",
         "What is released, and how is misuse hindered?", evidence.purpose),
    Item("12", "Licences", "Are the makers of data, code and models credited, and their licences kept?",
         "Under which licences do the starting model and the data stand?", evidence.artefacts),
    Item("13", "New assets", "Are newly made data, code and models documented where they are released?",
         "Is this released, and with which documentation?", evidence.released),
    Item("14", "Human subjects", "Are instructions to and payment of annotators and participants told?",
         "Did people judge or write anything, and how were they instructed and paid?", evidence.people),
    Item("15", "Review board", "Are risks to participants told, and was a review board asked?",
         "Yours to answer, NA where nobody took part: no training run bears on this."),
    Item("16", "Use of language models", "Is it told where language models are a part of the method?",
         "Is a language model an unusual part of the method, beyond being trained here?", evidence.drafted),
)  # fmt: skip
