"""The Porter stemmer: "disappointing", "disappoints", "disappointment" -> "disappoint".

M.F. Porter, "An algorithm for suffix stripping", Program 14(3), 1980, pp. 130-137, with
the two rules that its author changed in his own later code: BLI -> BLE (so that
"terribly" meets "terrible") and LOGI -> LOG.
"""

Rules = tuple[tuple[str, str], ...]

# In each step the longest suffix that fits decides, so it stands before its own ends.
STEP_2: Rules = (
    ("ational", "ate"), ("tional", "tion"), ("enci", "ence"), ("anci", "ance"),
    ("izer", "ize"), ("bli", "ble"), ("alli", "al"), ("entli", "ent"), ("eli", "e"),
    ("ousli", "ous"), ("ization", "ize"), ("ation", "ate"), ("ator", "ate"),
    ("alism", "al"), ("iveness", "ive"), ("fulness", "ful"), ("ousness", "ous"),
    ("aliti", "al"), ("iviti", "ive"), ("biliti", "ble"), ("logi", "log"),
)  # fmt: skip
STEP_3: Rules = (
    ("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"),
    ("ful", ""), ("ness", ""),
)  # fmt: skip
STEP_4 = (
    "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent",
    "ou", "ism", "ate", "iti", "ous", "ive", "ize",
)  # fmt: skip


def stem(word: str) -> str:
    """Return the stem of a word in small letters; one with others than a-z stays."""
    if len(word) < 3 or not (word.isascii() and word.isalpha()):
        return word
    word = y_to_i(past_and_progressive(plural(word)))
    word = replace(word, STEP_2)
    word = replace(word, STEP_3)
    return final_e(drop(word))


def plural(word: str) -> str:
    """Step 1a: caresses -> caress, ponies -> poni, cats -> cat."""
    if word.endswith(("sses", "ies")):
        return word[:-2]
    if word.endswith("s") and not word.endswith("ss"):
        return word[:-1]
    return word


def past_and_progressive(word: str) -> str:
    """Step 1b: agreed -> agree, plastered -> plaster, hopping -> hop."""
    if word.endswith("eed"):
        return word[:-1] if measure(word[:-3]) > 0 else word
    for suffix in ("ed", "ing"):
        rest = word.removesuffix(suffix)
        if rest != word:
            return tidy(rest) if "v" in shape(rest) else word
    return word


def tidy(rest: str) -> str:
    """Mend what -ed or -ing left: conflat -> conflate, hopp -> hop, fil -> file."""
    if rest.endswith(("at", "bl", "iz")):
        return rest + "e"
    if ends_double(rest) and rest[-1] not in "lsz":
        return rest[:-1]
    return rest + "e" if measure(rest) == 1 and ends_cvc(rest) else rest


def y_to_i(word: str) -> str:
    """Step 1c: happy -> happi, but sky stays."""
    return word[:-1] + "i" if word[-1] == "y" and "v" in shape(word[:-1]) else word


def replace(word: str, rules: Rules) -> str:
    """Steps 2 and 3: relational -> relate, if the rest has m > 0."""
    for suffix, new in rules:
        if word.endswith(suffix):
            rest = word.removesuffix(suffix)
            return rest + new if measure(rest) > 0 else word
    return word


def drop(word: str) -> str:
    """Step 4: adjustment -> adjust, adoption -> adopt, if the rest has m > 1."""
    if word.endswith(("sion", "tion")):
        rest = word.removesuffix("ion")
    else:
        suffix = next((s for s in STEP_4 if word.endswith(s)), "")
        rest = word.removesuffix(suffix)
    return rest if measure(rest) > 1 else word


def final_e(word: str) -> str:
    """Step 5: probate -> probat, controll -> control."""
    rest = word.removesuffix("e")
    if measure(rest) > 1 or (measure(rest) == 1 and not ends_cvc(rest)):
        word = rest
    return word[:-1] if word.endswith("ll") and measure(word) > 1 else word


def shape(word: str) -> str:
    """Return a letter per letter: v for a vowel, c for a consonant; "toys" -> "cvcc".

    A y is a vowel after a consonant.
    """
    kinds = ""
    for letter in word:
        vowel = letter in "aeiou" or (letter == "y" and kinds.endswith("c"))
        kinds += "v" if vowel else "c"
    return kinds


def measure(word: str) -> int:
    """Return Porter's m, how often a consonant follows a vowel; "private" -> 2."""
    return shape(word).count("vc")


def ends_double(word: str) -> bool:
    """Porter's *d: the word ends with the same consonant twice."""
    return word[-2:-1] == word[-1:] and shape(word).endswith("cc")


def ends_cvc(word: str) -> bool:
    """Porter's *o: a short end that lost its e, as in "hop(e)"; not in w, x, y."""
    return shape(word).endswith("cvc") and word[-1] not in "wxy"
