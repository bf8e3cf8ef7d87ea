"""The responsible NLP research checklist of ACL Rolling Review: sections A to E, in short words of our own."""

from __future__ import annotations

from dpo_report.plugins.checklists import evidence
from dpo_report.plugins.checklists.items import Item

NAME = "acl"
ITEMS = (
    Item("A1", "Limitations", "Does the paper discuss the limits of the work?",
         "Where are the limits discussed?", evidence.limits),
    Item("A2", "Risks", "Does the paper discuss the risks of the work?",
         "Which risks are there, and where are they discussed?", evidence.purpose),
    Item("B1", "Creators", "Are the makers of the models, data and programs that were used cited?",
         "Where are they cited?", evidence.artefacts),
    Item("B2", "Licences", "Are licences and terms of use told, of what was used and of what is released?",
         "Under which licences do the starting model and the data stand?", evidence.artefacts),
    Item("B3", "Intended use", "Were existing artefacts used as intended, and is the use of new ones told?",
         "Is the use that was made of model and data the one they are meant for?", evidence.purpose),
    Item("B4", "Personal and offensive content", "Were the data checked for persons' names and offensive content?",
         "What was done to check and to anonymise?"),
    Item("B5", "Documentation", "Are domains, languages and groups of the artefacts documented?",
         "Which languages and domains do the data cover?", evidence.artefacts),
    Item("B6", "Sizes of the data", "Are the numbers of examples in each split told?",
         "How many examples are in each split?", evidence.splits),
    Item("C1", "Size and cost of the models", "Are parameters, total computing budget and hardware told?",
         "Tell what is missing here, and answer.", evidence.compute),
    Item("C2", "Experimental setup", "Are hyper-parameters, the search for them and the best values told?",
         "How were the values chosen: ranges, trials, criterion?", evidence.tuning),
    Item("C3", "Descriptive statistics", "Is it clear what numbers summarise (one run, a mean, a maximum)?",
         "What do the numbers summarise, and over how many runs?", evidence.summaries),
    Item("C4", "Packages", "Are the programs that were used told, with versions and settings?",
         "Which packages were used, in which versions?", evidence.packages),
    Item("D1", "Instructions", "Is the text given that annotators or participants saw?",
         "Did people judge or write anything, and what were they told?", evidence.people),
    Item("D2", "Recruitment and payment", "Is it told how participants were found, and paid adequately?",
         "Yours to answer, NA where nobody took part: no training run bears on this."),
    Item("D3", "Consent", "Is it told how consent to the use of the data was obtained?",
         "Yours to answer, NA where nobody took part: no training run bears on this."),
    Item("D4", "Review board", "Was the collection of data approved by an ethics board?",
         "Yours to answer, NA where nobody took part: no training run bears on this."),
    Item("D5", "Annotators", "Are the annotators' backgrounds told?",
         "Yours to answer, NA where nobody took part: no training run bears on this."),
    Item("E1", "Assistants", "Is it told how AI assistants were used in research, code and writing?",
         "Were assistants used, and for what?", evidence.drafted),
)  # fmt: skip
