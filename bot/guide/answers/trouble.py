"""Reports of trouble, and of progress that falls short of “done”, in normalized messages. Pure."""

import re
from collections.abc import Set

from bot.guide.answers.vocabulary import words as vocabulary

LONGEST_REPORT = 40  # words; a longer message tells a story

_NOT = (
    r"(?:doesnt|does not|dont|do not|isnt|is not|arent|are not|wasnt|was not|didnt|did not|"
    r"wont|will not|"
    r"wouldnt|cant|cannot|can not|couldnt|could not|never|not|hasnt|has not|havent)"
)
_SAYS = (
    r"(?:says|said|shows(?! up)|showed(?! up)|tells|told|gives|gave|keeps|kept|asks|asking|is "
    r"asking|wants|throws|"
    r"refuses|fails|failed|rejected|blocks|vanished)"
)
_SCREEN = (
    r"(?:it|its|this|that|page|site|portal|button|tag|app|key|link|login|screen|list|dropdown|"
    r"menu|dot|secret|form|"
    r"code|email|website|servicetitan|connection|option|window|popup|account|password|browser|"
    r"box|system)"
)
_DO = (
    r"(?:log|login|sign|get|find|see|open|click|press|access|connect|add|create|save|select|"
    r"choose|generate|copy|"
    r"paste|enter|submit|edit|change|reach|locate|figure|load|view|accept|allow|register|use|"
    r"set|tell which)"
)
# Each of these reports trouble on its own, whatever else is said.
_STRONG = re.compile(
    r"\b(?:"
    r"errors?|denied|blank|white screen|crash\w*|frozen|freezes|froze|timing out|makes? no "
    r"sense|confusing|(?:something|it|page) broke|no dice|lost here|closed before|"
    r"failed|fails|failing|warning|"
    r"still broken|(?:its|it is|is) broken|disappeared|same (?:result|error)|spins|"
    r"locked (?:myself|us|me|him|her)|"
    r"(?:admin|owner|login|account)\b.* (?:left the company|quit|retired|no longer works|is gone)|"
    r"revoked|restricted|refused|kicked|logged me out|closed on me|nowhere|clickable|done "
    r"something wrong|generated nothing|spinning|still red|locked out|"
    r"logged out|kicked out|"
    r"unauthorized|forbidden|invalid|expired|rejected|rejects|[45]0[0-9]|greyed out|grayed out|"
    r"cut off|went wrong|"
    rf"no luck|something is (?:off|wrong)|somethings (?:off|wrong)|{_SCREEN} (?:just |still |"
    rf"only |is )?{_SAYS}|"
    rf"{_NOT} (?:\w+ )?(?:working|load|loading|open|opening|show|showing|appear|appearing|"
    rf"connected|"
    r"connecting|green|there|listed|let|letting|accept|accepted|respond|responding|come|came|"
    r"arrive|arrived|"
    r"arriving|found|allowed|available|authorized|recognized|valid|an? admin|visible|possible|"
    r"save|submit|"
    r"go through|do anything|in the (?:list|dropdown|menu))|"
    r"(?<!i )(?<!we )(?<!you )(?<!they )(?:doesnt|does not|dont|didnt|did not|wont|isnt|not) "
    r"(?:\w+ )?work|"
    rf"(?:^|i |we |still |and |but |to )(?:cant|cannot|can not|couldnt|could not) (?:even |"
    rf"seem to )?{_DO}|"
    rf"(?:unable|not able) to {_DO}|have no (?:idea|clue|access|option|button)|dont get it|not "
    rf"sure what|"
    r"nothing (?:happens|happened|shows|showed|comes|appears|there|works)|cant do (?:this|that|"
    r"the) step|"
    r"(?:login|connection|it|that|app|save) (?:failed|fails)|does nothing|timed out|times out|"
    r"(?:messed|screwed) (?:it |this |something )?up|made a mistake|(?:clicked|pressed|picked|"
    r"chose|did|pasted|typed|made|connected|"
    r"entered|copied|selected) (?:the |it |this |a )?wrong|did it wrong|by (?:accident|mistake)|"
    r"(?:need|have) to upgrade|same (?:error|problem|thing|issue) again|looks? different|not "
    r"what i see"
    r")\b|(?:and|still|then|but) nothing$|^(?:still |it |that |this |but |and )*(?:wont|will "
    r"not|doesnt|does not|didnt|isnt) "
)
# These report trouble only about the writer, or at the start of a message.
_WEAK = re.compile(
    r"(?:^|\b(?:i|we|im|were|still|totally|kinda|kind of|really|bit|so|have|having|had|theres|"
    r"there is|got|"
    r"running into|this is|am|are|a|an|some|big|the|with) )"
    r"(?:stuck|confused|confusing|problem|issues?|problems|(?:having |a hard |hard "
    r")?(?:trouble|time with)|"
    r"difficult(?:y|ies)|lost$)\b"
)
# Only trouble if they are about the setup.
_NEGATIVE = re.compile(
    rf"\b(?:{_NOT}|no|nope|nothing|missing|wrong|lost|lose|losing|forgot|gone|empty|disabled|"
    rf"broken|down|red|grey|"
    r"gray|taken|closed|deleted|removed|without|old owner|need (?:admin|access|permission|"
    r"rights)|unclear)\b"
)
_NO_TROUBLE = re.compile(
    r"\b(?:no|not any|without|zero|never had|not an?) (?:more |big |real |further |any "
    r")?(?:errors?|problems?|"
    r"issues?|trouble)\b|(?:error|errors|problem|problems|issue|issues) (?:is |was |has been |"
    r"are |got )?(?:now )?"
    r"(?:gone|fixed|solved|resolved|went away)|\bworks? (?:now|fine|great|again)\b|working now|"
    r"\bfixed\b|"
    r"figured (?:it )?out|\bsolved\b|never ?mind|\bnvm\b|found it|found the|\bgot past\b|its "
    r"there|oh its|"
    r"stuck (?:in|at|with|behind) (?:\w+ )*?(?:traffic|meeting|meetings|work|airport|back|"
    r"office|call|calls|"
    r"customer|customers|job)\b|lost (?:my|our) (?:voice|train|mind|phone|wallet|temper|keys)|"
    r"lost (?:you|track)|"
    r"you lost me|\bcant (?:wait|talk|today|tomorrow|complain|thank|make|join|come|do (?:it|"
    r"this|that) "
    r"(?:today|now|tomorrow|until|this week|right now))\b|\bnot (?:helping|stuck|lost)\b|"
    r"^(?:so |really |very |im )?(?:sorry|apologies) (?:for|about|i|we|missed|wrong)\b|"
    r"\b(?:my|our) (?:error|mistake|bad|fault|typo)\b|wrong (?:channel|thread|chat|person|"
    r"window sorry)|ignore "
    r"(?:that|my|me)|disregard"
)
# Things that have nothing to do with the setup.
_ELSEWHERE = re.compile(
    r"^(?!.*\b(?:code|login|log in|sign in)\b).*\b(?:weather|snow|trucks?|traffic|internet|wifi|"
    r"phone|laptop|car|van|kids|flight|voice|"
    r"calls|trade show|"
    r"weekends?|badge|roof|coffee|lunch|house|game|customer (?:canceled|called))\b"
)

_PROGRESS = re.compile(
    r"\b(?:created|added|filled|accepted|connected|submitted|saved|logged in|signed in|clicked|"
    r"pressed|hit|"
    r"selected|picked|chose|checked|ticked|entered|copied|pasted|generated|granted|gave|"
    r"registered|made|"
    r"opened|set up|skipped|worked|did|done|finished|completed|allowed|approved|updated|enabled|"
    r"changed|through|got|have|found|see|shows? up|appears|green|there|live|in the list|looks "
    r"good)\b"
)
_SHORT = re.compile(
    r"(?:ok |okay |so |great |and |yes |we |i |it |that |its |thats )*(?:(?:i |we )?(?:think|"
    r"guess|believe|hope) )?"
    r"(?:(?:im|ive|were|we are|i am|that|thats|it|its|this|its|everything|is|should be|"
    r"probably|maybe|pretty sure|app|all|has|"
    r"we|i|were|just|looks like|it) )*"
    r"(?:done|finished|complete|completed|ready|good to go|went through|in|logged in|signed in|"
    r"connected|accepted|"
    r"submitted|saved|created|"
    r"added|registered|worked|approved|filled in|filled out|clicked it|pressed it|let me in|"
    r"looks (?:good|fine|"
    r"right)|moving on|skipped (?:this|it|that)(?: one| step)?)"
    r"(?: (?:now|here|i think|i guess|i believe|i hope|too|all|fine|ok|"
    r"as far as (?:i|we) (?:can tell|can see|know)|on (?:my|our) (?:end|"
    r"side)|with the \w+ part|"
    r"with \w+|✅))*"
)
_SEVERAL_STEPS = re.compile(r"\bsteps? \d|\b(?:first|last|next) \w+ steps\b")
_DID_IT = re.compile(
    r"(?:ok |so |and |yes |i |we |ive |weve |have |just |its |it is )*(?:(?:created|added|"
    r"filled in|accepted|"
    r"connected|submitted|saved|registered|generated|copied|entered|made|named|allowed) (?:it|"
    r"this|that|everything)|"
    r"(?:hit|clicked|pressed) (?:create|connect|accept|allow|done|save|generate|submit|add|it))\b"
)
# Not yet, not by the writer, or not for sure.
_NOT_YET = re.compile(
    r"\b(?:not|yet|havent|hasnt|arent|isnt|dont|didnt|never|ill|well be|will|wont|tomorrow|"
    r"later|tonight|soon|"
    r"until|till|when|once|if|after|before|almost|nearly|half|halfway|need|needs|want|wants|"
    r"let|lets|hope to|"
    r"gonna|going to|by (?:noon|friday|monday|tuesday|wednesday|thursday|tomorrow|tonight|the)|"
    r"next (?:week|month|"
    r"time)|hour|hours|minutes|today|(?<!gave )(?<!granted )(?<!invited )you|youre|your|he|she|"
    r"they|consider|said|"
    r"well done|nicely|weekend|meeting|call|deal|job|monday|screenshot)\b"
)


def is_past(words: str) -> bool:
    """True if a message says that there is no trouble anymore, or that it's of another kind."""
    return bool(_NO_TROUBLE.search(words) or _ELSEWHERE.search(words))


def reports_trouble(words: str, nouns: Set[str]) -> bool:
    """True if a message says that something doesn't work, is missing, or went wrong.

    `nouns` are the guide's names for its things, and what is on a screen.
    """
    if is_past(words) or len(words.split()) > LONGEST_REPORT:
        return False
    if _STRONG.search(words) or _WEAK.search(words):
        return True
    return bool(_NEGATIVE.search(words)) and not nouns.isdisjoint(words.split())


def reports_progress(words: str, nouns: Set[str]) -> bool:
    """True if a message may mean that a step is done, without saying so."""
    said = words.split()
    if _SHORT.fullmatch(words):
        return not re.search(r"\b(?:yet|almost|nearly|not)\b", words)
    if is_past(words) or _NOT_YET.search(words) or len(said) > LONGEST_REPORT:
        return False
    if _DID_IT.match(words):
        return True
    is_about_it = not nouns.isdisjoint(said) or bool(_SEVERAL_STEPS.search(words))
    return is_about_it and bool(_PROGRESS.search(words))


def concerns_setup(words: str, nouns: Set[str]) -> bool:
    """True if a message, going by its words, is about the setup, and not about later."""
    said = words.split()
    if is_past(words) or _NOT_YET.search(words) or not 2 < len(said) <= LONGEST_REPORT:
        return False
    return not (nouns - vocabulary().elsewhere).isdisjoint(said)
