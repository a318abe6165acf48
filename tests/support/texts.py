"""Random texts of invented words, and edits of them."""

import random

RNG = random.Random(7)
VOCABULARY = ["".join(RNG.choices("abcdefghijklmnoprstuvw", k=RNG.randint(2, 9))) for _ in range(3_000)]


def words(seed, number=400):
    return random.Random(seed).choices(VOCABULARY, k=number)


def edited(text, share, seed=1):
    rng = random.Random(seed)
    return [rng.choice(VOCABULARY) if rng.random() < share else word for word in text]
