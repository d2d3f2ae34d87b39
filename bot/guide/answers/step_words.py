"""The words that control an onboarding, as people type them: done, undo, status, help. Pure.

Everything here looks at a normalized message (see `normal`), and matches only the whole of it: an
unclear message must never finish a step.
"""

import html
import re
import unicodedata
from difflib import SequenceMatcher
from functools import cache

from bot.guide.answers.vocabulary import words as vocabulary
from bot.guide.model import Choice

CHECK_MARKS = (
    r":(?:white_check_mark|heavy_check_mark|ballot_box_with_check|check|checkmark):|[✅✔☑]"
)
_EMOJI_NAME = re.compile(r":[a-z0-9][a-z0-9_+'-]*:")
_IN_WORDS = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty"
)
NUMBERS = {name: str(number) for number, name in enumerate(_IN_WORDS.split(), start=1)}
_MENTION = re.compile(r"<[@#!][^>]*>")
_WORD = re.compile(r"[a-z0-9#✅+']+")

# What people put around a word without changing it.
_BEFORE = (
    r"(?:(?:hi|hey|hello|hi there|hey there|good (?:morning|afternoon|evening)|morning|ok|okay|k|"
    r"alrighty|yes|yep|yeah|yup|great|perfect|awesome|excellent|cool|nice|alright|all right|so|"
    r"and|now|oh|oops|sorry|whoops|all good|finally|yay|woohoo|phew|thanks|thank you|thx|ty|"
    r"please|pls|plz|bot|there|just|everyone|all|team) )*"
)
_AFTER = (
    r"(?: (?:and )?(?:thanks|thank you|thx|ty|so much|very much|a lot|again|now|here|too|please|"
    r"pls|plz|already|everyone|team|all|guys|sir|and dusted|right now|✅|on (?:my|our) (?:end|"
    r"side)|for (?:me|us)|from (?:me|us)|(?:thanks|thank you|thx) [a-z]+$))*"
)
_NUMBER = r"(?:step |number |no |# ?|#)?(?P<{}>\d{{1,3}})"
_THIS = r"(?:it|that|this|everything|(?:this|that|the|my|our) (?:step|one|part)|all of (?:it|this))"
_WHO = (
    r"(?:(?:i|we|it|that|this|its|thats|im|ive|were|weve|everything|everythings|"
    rf"this (?:steps?|ones?)|that (?:steps?|ones?)|the steps?|steps?|{_NUMBER.format('of')}) )?"
)
_BE = (
    r"(?:(?:is|s|up|am|are|have|has|just|now|all|finally|already|both|marked as|"
    r"got (?:it|this|that)|it|that) )*"
)
_STATE = (
    r"(?:done|finished up|finished|complete|completed|all set|taken care of|sorted|did it|"
    r"did that|✅)"
)
_WITH = rf"(?: (?:up )?(?:with |w )?(?:{_THIS}|{_NUMBER.format('on')}))?"
_TWICE = rf"{_STATE}(?: (?:and )?(?:{_STATE}|moving on))*"
_NEXT = (
    r"(?:(?:done|finished|all set)(?: and)? )?(?:(?:im |were |we are |i am )?(?:go |going |move |"
    r"moving )?(?:ready )?(?:on )?(?:to |for )?)(?:the )?next(?: step| one)?"
)
_DONE = re.compile(rf"{_BEFORE}(?:{_WHO}{_BE}{_TWICE}{_WITH}|{_NEXT}){_AFTER}")

_UNDO = re.compile(
    rf"{_BEFORE}(?:(?:can|could) (?:you|we|i) )?(?:please )?"
    r"(?:undo|go back|back up|back|take (?:that|it) back|(?:one|a) step back|step back|"
    r"previous(?: step)?|the previous(?: step)?)"
    r"(?: (?:that|it|this|the|my|last|one|a|step|please|thanks|previous|to))*"
)
_HELP = re.compile(
    rf"{_BEFORE}(?:(?:can|could|would|will) (?:you|i|we|someone|somebody|anyone|anybody) )?"
    r"(?:(?:i|we) (?:really |do )?)?(?:please )?"
    r"(?:get |have |need |give |could use |can use )?(?:me |us )?(?:some |a bit of )?"
    r"(?:help|sos|a hand|assistance)"
    r"(?: (?:me|us|out|please|pls|plz|here|now|thanks|with (?:this|it|that)(?: step| one)?))*"
)
_US = r"(?:i|we)"
_STATUS = re.compile(
    rf"{_BEFORE}(?:(?:the |our |current )?(?:status|progress)(?: update| report)?|"
    r"any (?:update|updates|news|progress)(?: on (?:this|it|our (?:setup|integration)))?|"
    rf"(?:(?:can|could) you )?(?:(?:tell|remind|show) me )?where (?:(?:are|were|am) )?{_US}"
    r"(?: (?:at|are|were|am))*(?: (?:now|exactly|in this|with (?:this|it|the setup|everything)|"
    r"in the (?:process|setup)))*|where (?:did|do) we (?:leave off|stop|stand)|"
    r"how are we doing|how is it going with (?:this|the setup)|where we left off|"
    rf"(?:what|which) (?:step|number|phase)(?: number)? (?:am|are|is|were|do|should) (?:{_US}|this|"
    r"it|next|now|up|comes)(?: (?:be|on|at|now|currently|do|take|next))*|"
    rf"what (?:do|should|can|must|am|are) {_US} (?:supposed to |need to |have to )?(?:do|be doing|"
    r"doing)(?: (?:now|next|first|then|here))*|what now|now what|and now|then what|what step|"
    r"is there more|who has the ball|"
    r"is it (?:still )?on (?:us|me|you)(?: or (?:on )?(?:us|me|you))?|"
    r"what(?:s| is) the status (?:of|with|on) (?:\w+ ?){1,4}|"
    rf"(?:what(?:s| is) )?(?:the )?next thing {_US} (?:need|have) to do|"
    r"(?:and |so )?what(?:s| is) (?:up )?next|what next|where to (?:now|next)|"
    r"(?:what(?:s| is| was) )?(?:the |my |our )?(?:next|current) (?:step|one|thing)(?: again)?|"
    r"next|what (?:else )?do you (?:still |else )?need|"
    r"do you (?:guys )?(?:still )?need (?:anything|something|more)(?: else| more| from (?:me|us))*|"
    rf"do {_US} (?:still )?(?:need|have) to do (?:anything|something|more)(?: else| more)?|"
    r"(?:is there |was there )?(?:any|some)thing (?:(?:that )?(?:i|we) (?:still )?(?:need|"
    r"have) to do|(?:for )?(?:me|us) to do|else|left|more)(?: (?:you need|to do|left|needed))*|"
    r"what(?:s| is| are) (?:still )?(?:the )?(?:left|missing|open|outstanding|"
    r"remaining)(?: steps?)?|how long is th(?:is|e) (?:list|process|setup|guide)|"
    r"how (?:much|many|far)(?: more| longer)?(?: steps)?(?: along)?(?: (?:is|are|do|have|left|we|"
    r"i|to go|more|this|list|there|remaining|got))*|"
    rf"(?:are|am) {_US} (?:all |almost |nearly )?(?:done|set|finished|complete|through|"
    r"there)(?: yet)?|is (?:that|this|it) (?:it|all|everything)|whose turn(?: is it)?|"
    r"is it (?:my|our|your) turn|(?:who|what) are (?:we|you)(?: guys)? waiting (?:on|for)|"
    r"are (?:we|you)(?: guys)? waiting (?:on|for) (?:us|me|you|something|anything)|"
    r"where do things stand|where does (?:this|it) stand|"
    r"what(?:s| is) (?:the|our|my) (?:current )?(?:status|progress)|"
    rf"(?:did|have) {_US} (?:finish|do|done|finished|complete|completed) (?:everything|it all)|"
    rf"where in (?:the|this) (?:process|setup|list) (?:am|are) {_US}|whos up|is something left|"
    r"where do we go from here|"
    rf"(?:where|how|when) (?:do|can|should) {_US} (?:start|begin|get started|continue)"
    rf")(?: to do)?{_AFTER}(?: to do)?{_AFTER}"
)
# These count as a question about the status only with a question mark, or with a question word.
_NEEDS_MARK = re.compile(
    rf"{_BEFORE}(?:(?:the )?next(?: step| one)?|(?:any|some)thing (?:else|left|more)){_AFTER}"
)

_PRAISE = re.compile(r"(?:great|good|nice|excellent|awesome|perfect|amazing) (?:status|progress)")


def normal(text: str) -> str:
    """Return a message normalized for matching: lowercase, with single spaces between words.

    Apostrophes, punctuation, and emoji are removed, except check marks, which mean “done”.
    """
    folded = unicodedata.normalize("NFKC", html.unescape(text)).casefold()
    folded = re.sub(CHECK_MARKS, " ✅ ", folded)
    folded = (
        _MENTION.sub(" ", _EMOJI_NAME.sub(" ", folded))
        .replace("’", "'")
        .replace("‘", "'")
        .replace("`", " ")
    )
    words = [word.replace("'", "") for word in _WORD.findall(folded)]
    words = [
        NUMBERS.get(word, word) if before == "step" else word
        for before, word in zip(["", *words], words, strict=False)
    ]
    return " ".join(word for word in words if word)


def says_done(words: str, step: int | None) -> bool:
    """True if these words, and nothing else, say that step number `step` is done."""
    found = _DONE.fullmatch(words)
    if not found or words.startswith("is "):
        return False
    named = {int(number) for number in (found["of"], found["on"]) if number}
    return not named or named == {step}


def asks_status(words: str, *, marked: bool) -> bool:
    """True if these words ask about the progress; `marked`: there was a question mark."""
    if not marked and (_NEEDS_MARK.fullmatch(words) or _PRAISE.match(words)):
        return False
    return bool(_STATUS.fullmatch(words))


def nearly_says_done(words: str) -> bool:
    """True for a single word that may be a typo: “doen”, “finshed”."""
    return words.isalpha() and any(
        words[0] == meant[0]
        and len(words) > 3
        and SequenceMatcher(None, words, meant).ratio() >= 0.75
        for meant in ("done", "finished", "completed", "complete")
    )


def says_undo(words: str) -> bool:
    return bool(_UNDO.fullmatch(words))


def says_help(words: str) -> bool:
    """True if these words ask for help without saying with what."""
    return bool(_HELP.fullmatch(words))


def chosen(words: str, choice: Choice) -> str | None:
    """Return the id of the one option that these words name, if they say nothing else."""
    said = words.split()
    own = {option.id: _own_words(option.id, option.said) for option in choice.options}
    every = frozenset().union(*own.values())
    if numbered := re.fullmatch(r"(?:option |number |#)(\d)\W*.*", words):
        at = int(numbered[1]) - 1
        said = [word for word in said if not word.strip("#").isdecimal()]
        if at < len(choice.options) and not every & set(said) - own[choice.options[at].id]:
            return choice.options[at].id
        return None
    if not said or not set(said) <= vocabulary().around_answers | every:
        return None
    named = [name for name, known in own.items() if known & set(said)]
    return named[0] if len(named) == 1 else None


@cache
def _own_words(option_id: str, said: str) -> frozenset[str]:
    return frozenset((option_id, *said.split()))
