"""Preprocesses a tweet: text -> its distinct stems.

Dropped: retweet marks, URLs, @handles, punctuation, stop words. Kept: the word of a
hashtag, emoticons and emoji, and negation, by marking the words that it reaches:

    RT @bob: I do NOT like #Mondays :( http://t.co/x  ->  not, NOT_like, NOT_mondai, :(

Each step is one pass, so its time is linear in the length of the text.
"""

import re
from collections.abc import Callable, Iterable, Iterator

# How many words a negation reaches. "not a very nice place" needs three; further away
# the words are more often about something else.
REACH = 4
LONGEST_WORD = 30  # letters; what is longer is none, and costs time and memory
FACES = {"happy": ":)", "sad": ":(", "wry": ":/"}

Stem = Callable[[str], str]


def words(text: str) -> frozenset[str]:
    """Return the words of a list that is written as a text."""
    return frozenset(text.split())


STOP_WORDS = words("""
    a about after all also am an and any are as at be been being both by can did do does
    doing done during each for from further got had has have having he hers her here him
    himself his how i id if ill im in into is it its itself ive let me mine my myself of
    on or other our ours own r s same she shes so some such than that thats the their
    them themselves then there theres these they this those through to u ur us was we
    were what when where which while who whom why will with would y you your yours
""")
NEGATIONS = words("""
    not no never none nobody nothing neither nor nowhere without hardly barely cannot
    aint arent cant couldnt didnt doesnt dont hadnt hasnt havent isnt shouldnt wasnt
    werent wont wouldnt
""")
# Before these a negation ends; after those below: "no problem, nice", "not only good".
CLAUSE_WORDS = words("although because except though until")
LAST_WORDS = words("""
    doubt fail fails just matter only problem problems regret regrets stop wonder
    worries
""")

_NOISE = re.compile(r"https?://\S*|www\.\S+|\brt\s+@\w+|@\w+")
_SENTENCE_END = re.compile(r"[.!?\n]\s")
# Negations that praise or blame all the more: "can't wait", "never been so happy",
# "can't thank you enough", "nothing but praise"; and one that is a negation.
_IDIOMS = (
    (r"\b(?:can'?t|can ?not|couldn'?t) wait\b", "excited"),
    (
        r"\b(?:never|could(?:n'?t| not))((?: \w{1,15}){1,3}?) (?:so|such|more)\b",
        r"\1 very",
    ),
    (r"\b(?:can'?t|can ?not|couldn'?t)((?: \w{1,15}){1,4}?) enough\b", r"\1 very much"),
    (r"\b(?:nothing|help) but\b", ""),
    (r"\banything but\b", "not"),
)
IDIOMS = [(re.compile(pattern), meaning) for pattern, meaning in _IDIOMS]
_DRAWN_OUT = re.compile(r"(\w)\1{2,}")
# The group that matched names the kind of token. No run of characters is tried from
# each of its places, or a hundred thousand brackets would take minutes.
_TOKEN = re.compile(
    r"""
    (?P<happy> [:;=]'?[-o^]?[)\]}]+ | [:;=][-o^]?[dp]+\b | \bxd+\b
             | [(\[][-o^]?[:;=] | \^[_.]*\^ | <3+ )
  | (?P<sad>   [:;=]['"]?[-o^]?[(\[{]+ | [)\]][-o^]?'?[:;=] | \bd:(?!\w) | </3+
             | \bt[_.]t\b | ;[_.]; | >[:;] )
  | (?P<wry>   [:;=][-o^]?[/\\|]+ | -[_.]+- )
  | (?P<emoji> [\u2600-\u27bf\U0001f300-\U0001faff] )
  | (?P<word>  \d+/\d+ | [^\W_]+(?:'[^\W_]+)? )
  | (?P<break> [.,;:!?()\n] )
    """,
    re.VERBOSE,
)


def stems(text: str, stem: Stem) -> list[str]:
    """Return the distinct stems; those that a negation reaches begin with "NOT_".

    They keep their order: sums over a set would end differently from run to run.
    """
    return list(dict.fromkeys(marked(tokens(told(clean(text))), stem)))


def clean(text: str) -> str:
    """Return the text in small letters without the marks that say nothing."""
    return _NOISE.sub(" ", text.casefold().replace("\u2019", "'"))


def told(text: str) -> str:
    """Return what counts: idioms in plain words, sentences from their last "but" on."""
    for pattern, meaning in IDIOMS:
        text = pattern.sub(meaning, text)
    sentences = _SENTENCE_END.split(text)
    return "\n".join(sentence.rpartition(" but ")[2] for sentence in sentences)


def tokens(text: str) -> Iterator[tuple[str, str]]:
    """Yield (kind, token): words, one face per mood, emoji, and breaks.

    A word that is drawn out comes both ways it may be meant: goood -> good, god.
    """
    for match in _TOKEN.finditer(text):
        kind = str(match.lastgroup)
        token = FACES.get(kind, match[0])
        if kind == "word" and _DRAWN_OUT.search(token):
            yield kind, _DRAWN_OUT.sub(r"\1\1", token)
            token = _DRAWN_OUT.sub(r"\1", token)
        yield kind, token


def marked(found: Iterable[tuple[str, str]], stem: Stem) -> Iterator[str]:
    """Yield the stem of each token that says something, "NOT_" before the negated."""
    reach = 0
    for kind, token in found:
        if kind != "word":  # a face or a break ends what a negation reaches
            reach = 0
            if kind != "break":
                yield token
        elif is_negation(token):
            reach = REACH
            yield "not"
        elif says_something(word := token.partition("'")[0]):
            reach = 0 if word in CLAUSE_WORDS else reach
            yield ("NOT_" if reach else "") + stem(word)
            reach = 0 if word in LAST_WORDS else max(0, reach - 1)


def says_something(word: str) -> bool:
    """False for stop words, and for what is too long to be a word."""
    return word not in STOP_WORDS and len(word) <= LONGEST_WORD


def is_negation(word: str) -> bool:
    """True for not, never, ... and for whatever ends in n't."""
    return word in NEGATIONS or word.endswith("n't")
