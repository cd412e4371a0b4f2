"""Whole words written otherwise: text-message shorthand and spelt-round swear words; looked up by `mend`. A table of our own."""

_PAIRS = """
gr8 great, gr8t great, m8 mate, m8s mates, l8r later, l8 late, b4 before, h8 hate, h8r hater, h8rs haters, h8ing hating, h8s hates,
w8 wait, w8ing waiting, str8 straight, 2moro tomorrow, 2morrow tomorrow, 2mrw tomorrow, 2nite tonight, 2night tonight, 2day today,
2gether together, 4ever forever, 4eva forever, 4get forget, any1 anyone, some1 someone, every1 everyone, no1 no one, noone no one,
ne1 anyone, 4u for you, 2u to you, th3 the, fuk fuck, fck fuck, fuq fuck, fcuk fuck, phuck fuck, phuk fuck, fukk fuck, fucc fuck,
fukin fucking, fuking fucking, fkn fucking, fking fucking, fkin fucking, fcking fucking, fuckin fucking, fuckn fucking,
fukr fucker, fckr fucker, fked fucked, fcked fucked, btch bitch, biatch bitch, biotch bitch, bicth bitch, biyatch bitch,
betch bitch, sht shit, shyt shit, shiet shit, azz ass, 4ss ass, azzhole asshole, ahole asshole, dik dick, dikhead dickhead,
dckhead dickhead, kunt cunt, cvnt cunt, kuntt cunt, wnker wanker, wnkr wanker, vvanker wanker, vvhore whore, basterd bastard,
bstard bastard, bastad bastard, fgt faggot, phaggot faggot, faget faggot, stoopid stupid, stewpid stupid, stpid stupid,
retart retard, retrd retard, muppit muppet, idot idiot, idjit idiot, eejit idiot, morron moron, peado paedo, peedo paedo,
pedofile paedophile, paedofile paedophile, pussi pussy, slutt slut, whor whore, nigg nigga, bellened bellend, tw4t twat
"""

SHORTHAND = {pair.split()[0]: " ".join(pair.split()[1:]) for pair in _PAIRS.split(",")}
"""A word as written, lower case, and what it stands for. No value is a key."""
