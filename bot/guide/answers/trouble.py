"""Reports of trouble, and of progress that falls short of “done”, in normalized messages. Pure."""

import re
from collections.abc import Set

from bot.guide.answers.vocabulary import words as vocabulary

LONGEST_REPORT = 40  # words; a longer message tells a story

_NOT = (
    r"(?:doesnt|does not|dont|do not|isnt|is not|arent|are not|wasnt|was not|didnt|did not|wont|"
    r"will not|wouldnt|cant|cannot|can not|couldnt|could not|never|not|hasnt|has not|havent)"
)
_SAYS = (
    r"(?:says|said|shows(?! up)|showed(?! up)|tells|told|gives|gave|keeps|kept|asks|asking|"
    r"is asking|wants|throws|refuses|fails|failed|rejected|blocks|vanished)"
)
_SCREEN = (
    r"(?:it|its|this|that|page|site|portal|button|tag|app|key|link|login|screen|list|dropdown|"
    r"menu|dot|secret|form|code|email|website|servicetitan|connection|option|window|popup|account|"
    r"password|browser|box|system)"
)
_DO = (
    r"(?:log|login|sign|get|find|see|open|click|press|access|connect|add|create|save|select|"
    r"choose|generate|copy|paste|enter|submit|edit|change|reach|locate|figure|load|view|accept|"
    r"allow|register|use|set|tell which)"
)
# Each of these reports trouble on its own, whatever else is said.
_STRONG = re.compile(
    r"\b(?:errors?|denied|blank|white screen|crash\w*|frozen|freezes|froze|timing out|"
    r"makes? no sense|confusing|(?:something|it|page) broke|no dice|lost here|closed before|"
    r"failed|fails|failing|warning|still broken|(?:its|it is|is) broken|disappeared|"
    r"same (?:result|error)|spins|locked (?:myself|us|me|him|her)|"
    r"(?:admin|owner|login|account)\b.* (?:left the company|quit|retired|no longer works|is gone)|"
    r"revoked|restricted|refused|kicked|logged me out|closed on me|nowhere|clickable|"
    r"done something wrong|generated nothing|spinning|still red|locked out|logged out|kicked out|"
    r"unauthorized|forbidden|invalid|expired|rejected|rejects|[45]0[0-9]|greyed out|grayed out|"
    r"cut off|went wrong|no luck|something is (?:off|wrong)|somethings (?:off|wrong)|"
    rf"{_SCREEN} (?:just |still |only |is )?{_SAYS}|"
    rf"{_NOT} (?:\w+ )?(?:working|load|loading|open|opening|show|showing|appear|appearing|"
    r"connected|connecting|green|there|listed|let|letting|accept|accepted|respond|responding|come|"
    r"came|arrive|arrived|arriving|found|allowed|available|authorized|recognized|valid|an? admin|"
    r"visible|possible|save|submit|go through|do anything|in the (?:list|dropdown|menu))|"
    r"(?<!i )(?<!we )(?<!you )(?<!they )(?:doesnt|does not|dont|didnt|did not|wont|isnt|"
    r"not) (?:\w+ )?work|"
    r"(?:^|i |we |still |and |but |to )(?:cant|cannot|can not|couldnt|could not) (?:even |"
    rf"seem to )?{_DO}|(?:unable|not able) to {_DO}|have no (?:idea|clue|access|option|button)|"
    r"dont get it|not sure what|"
    r"nothing (?:happens|happened|shows|showed|comes|appears|there|works)|"
    r"cant do (?:this|that|the) step|(?:login|connection|it|that|app|save) (?:failed|fails)|"
    r"does nothing|timed out|times out|(?:messed|screwed) (?:it |this |something )?up|"
    r"made a mistake|"
    r"(?:clicked|pressed|picked|chose|did|pasted|typed|made|connected|entered|copied|"
    r"selected) (?:the |it |this |a )?wrong|did it wrong|by (?:accident|mistake)|"
    r"(?:need|have) to upgrade|same (?:error|problem|thing|issue) again|looks? different|"
    r"not what i see)\b|(?:and|still|then|but) nothing$|^(?:still |it |that |this |but |"
    r"and )*(?:wont|will not|doesnt|does not|didnt|isnt) "
)
# These report trouble only about the writer, or at the start of a message.
_WEAK = re.compile(
    r"(?:^|\b(?:i|we|im|were|still|totally|kinda|kind of|really|bit|so|have|having|had|theres|"
    r"there is|got|running into|this is|am|are|a|an|some|big|the|with) )(?:stuck|confused|"
    r"confusing|problem|issues?|problems|(?:having |a hard |hard )?(?:trouble|time with)|"
    r"difficult(?:y|ies)|lost$)\b"
)
# Only trouble if they are about the setup.
_NEGATIVE = re.compile(
    rf"\b(?:{_NOT}|no|nope|nothing|missing|wrong|lost|lose|losing|forgot|gone|empty|disabled|"
    r"broken|down|red|grey|gray|taken|closed|deleted|removed|without|old owner|"
    r"need (?:admin|access|permission|rights)|unclear)\b"
)
_NO_TROUBLE = re.compile(
    r"\b(?:no|not any|without|zero|never had|not an?) (?:more |big |real |further |"
    r"any )?(?:errors?|problems?|issues?|trouble)\b|"
    r"(?:error|errors|problem|problems|issue|issues) (?:is |was |has been |are |"
    r"got )?(?:now )?(?:gone|fixed|solved|resolved|went away)|\bworks? (?:now|fine|great|again)\b|"
    r"working now|\bfixed\b|figured (?:it )?out|\bsolved\b|never ?mind|\bnvm\b|found it|found the|"
    r"\bgot past\b|its there|oh its|"
    r"stuck (?:in|at|with|behind) (?:\w+ )*?(?:traffic|meeting|meetings|work|airport|back|office|"
    r"call|calls|customer|customers|job)\b|"
    r"lost (?:my|our) (?:voice|train|mind|phone|wallet|temper|keys)|lost (?:you|track)|"
    r"you lost me|"
    r"\bcant (?:wait|talk|today|tomorrow|complain|thank|make|join|come|do (?:it|this|"
    r"that) (?:today|now|tomorrow|until|this week|right now))\b|\bnot (?:helping|stuck|lost)\b|"
    r"^(?:so |really |very |im )?(?:sorry|apologies) (?:for|about|i|we|missed|wrong)\b|"
    r"\b(?:my|our) (?:error|mistake|bad|fault|typo)\b|"
    r"wrong (?:channel|thread|chat|person|window sorry)|ignore (?:that|my|me)|disregard"
)
# Things that have nothing to do with the setup.
_ELSEWHERE = re.compile(
    r"^(?!.*\b(?:code|login|log in|sign in)\b).*\b(?:weather|snow|trucks?|traffic|internet|wifi|"
    r"phone|laptop|car|van|kids|flight|voice|calls|trade show|weekends?|badge|roof|coffee|lunch|"
    r"house|game|customer (?:canceled|called))\b"
)

_PROGRESS = re.compile(
    r"\b(?:created|added|filled|accepted|connected|submitted|saved|logged in|signed in|clicked|"
    r"pressed|hit|selected|picked|chose|checked|ticked|entered|copied|pasted|generated|granted|"
    r"gave|registered|made|opened|set up|skipped|worked|did|done|finished|completed|allowed|"
    r"approved|updated|enabled|changed|through|got|have|found|see|shows? up|appears|green|there|"
    r"live|in the list|looks good)\b"
)
_SHORT = re.compile(
    r"(?:ok |okay |so |great |and |yes |we |i |it |that |its |thats )*(?:(?:i |we )?(?:think|"
    r"guess|believe|hope) )?(?:(?:im|ive|were|we are|i am|that|thats|it|its|this|its|everything|"
    r"is|should be|probably|maybe|pretty sure|app|all|has|we|i|were|just|looks like|it) )*(?:done|"
    r"finished|complete|completed|ready|good to go|went through|in|logged in|signed in|connected|"
    r"accepted|submitted|saved|created|added|registered|worked|approved|filled in|filled out|"
    r"clicked it|pressed it|let me in|looks (?:good|fine|right)|moving on|skipped (?:this|it|"
    r"that)(?: one| step)?)(?: (?:now|here|i think|i guess|i believe|i hope|too|all|fine|ok|"
    r"as far as (?:i|we) (?:can tell|can see|know)|on (?:my|our) (?:end|side)|with the \w+ part|"
    r"with \w+|✅))*"
)
_SEVERAL_STEPS = re.compile(r"\bsteps? \d|\b(?:first|last|next) \w+ steps\b")
_DID_IT = re.compile(
    r"(?:ok |so |and |yes |i |we |ive |weve |have |just |its |it is )*(?:(?:created|added|"
    r"filled in|accepted|connected|submitted|saved|registered|generated|copied|entered|made|named|"
    r"allowed) (?:it|this|that|everything)|(?:hit|clicked|pressed) (?:create|connect|accept|allow|"
    r"done|save|generate|submit|add|it))\b"
)
# Not yet, not by the writer, or not for sure.
_NOT_YET = re.compile(
    r"\b(?:not|yet|havent|hasnt|arent|isnt|dont|didnt|never|ill|well be|will|wont|tomorrow|later|"
    r"tonight|soon|until|till|when|once|if|after|before|almost|nearly|half|halfway|need|needs|"
    r"want|wants|let|lets|hope to|gonna|going to|by (?:noon|friday|monday|tuesday|wednesday|"
    r"thursday|tomorrow|tonight|the)|next (?:week|month|time)|hour|hours|minutes|today|"
    r"(?<!gave )(?<!granted )(?<!invited )you|youre|your|he|she|they|consider|said|well done|"
    r"nicely|weekend|meeting|call|deal|job|monday|screenshot)\b"
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
