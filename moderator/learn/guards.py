"""What must reach a person and is never hidden by the machine, as rules with a plain-English why (R15, R16, R17, R19).

Every rule is a pattern over normalised text (lower case, no punctuation, apostrophes gone). The rules err on the side of a person: "my
phone died, I want to die lol" goes to a person too, since nobody can tell from a line of text whether a child means it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from moderator.domain.score import Guard, GuardHit, PersonKind, PersonSpan


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: a guard applies where `find` matches, unless `unless` matches in the same text."""

    guard: Guard
    why: str
    find: re.Pattern[str]
    unless: re.Pattern[str] | None = None


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile(r"(?<![^ ])(?:" + "|".join(patterns) + r")(?![^ ])")


_FAMILY = (
    r"(?:step ?)?(?:dad|dads|father|mum|mums|mother|mam|mummy|daddy|brother|sister|uncle|aunt|auntie|grandad|grandpa|nan|cousin|parents|carer|"
    r"foster (?:mum|dad|carer|carers)|boyfriend|girlfriend|husband|wife|partner|ex)"
)
_HURTS = (
    r"(?:hits?|hitting|beats?|beating|punch(?:es|ed|ing)?|kicks?|kicking|slaps?|slapped|slapping|hurts?|hurting|strangles?|strangled|chokes?|choked|"
    r"burns?|burnt|starves?|threatens?|abuses?|abused|abusing|rapes?|raped|molests?|molested|touches|touched|touching)"
)
_HOW_OFTEN = r"(?:(?:always|still|keeps?|kept|has|have|had|is|was|been|sometimes|just|really|often) )*"
_CHILD = r"(?:me|us|my (?:little |big |baby )?(?:brother|sister|brothers|sisters|mum|mam|son|daughter|kids|child|children)|him|her|the (?:kids|children|baby))"

_DISCLOSURE = (
    Rule(
        Guard.DISCLOSURE,
        "Somebody may be telling of harm at home or in a relationship.",
        _any(
            rf"(?:my|her|his|their|our) {_FAMILY} {_HOW_OFTEN}{_HURTS} {_CHILD}",
            rf"(?:being|been|getting|gets|get|got|was|were|is) {_HURTS} by (?:my|her|his|their|our|a|an|the) (?:\w+ )?{_FAMILY}",
            r"(?:he|she|they|someone|somebody|a man|an adult|a teacher|the coach)(?: \w+)? (?:makes?|made|forces?|forced) (?:me|us|her|him) (?:to )?"
            r"(?:do )?(?:things?|stuff|it|touch|undress|send)(?: i| we)?(?: dont| didnt)?(?: want)?(?: to)?",
            rf"(?:my|her|his) {_FAMILY} (?:locks?|locked|shuts?|kicks?|kicked|threw|throws?) (?:me|us|her|him) (?:in|out|up|outside|down)",
            r"(?:doesnt|dont|does not|wont|never|not) (?:feed|feeds|feeding|fed) (?:me|us|her|him|them|the kids|the children|my (?:brother|sister))",
            r"(?:im|i am|were|we are|she is|shes|he is|hes|child is|kids are|hes too|i feel|she feels|he feels|am) (?:\w+ )?"
            r"(?:scared|afraid|frightened|terrified|not safe|unsafe) (?:\w+ )?(?:at home|to go home|to be at home|going home|of (?:my|her|his) \w+(?: \w+)?)",
            r"not safe at home|(?:dont|do not|doesnt|didnt|never) feel safe (?:at home|in my (?:house|home)|with (?:my|him|her)|any ?more)",
            r"(?:i|she|he) (?:was|have been|has been|got|were|am being|is being) (?:being )?(?:raped|molested|groomed|sexually (?:abused|assaulted)|abused|assaulted)",
            r"(?:touch(?:es|ed|ing)|grop(?:es|ed|ing)|fiddl(?:es|ed|ing) with) (?:me|her|him|us|them|my (?:daughter|son)|the (?:girls|boys|children|kids))"
            r"(?: up)?(?: (?:where|when|in|under|down|private|and|at|on|inappropriately).*)?",
            r"(?:hurt|hurts|hurting|harm|harms|harming|hit|hits|hitting) (?:a |the |my |these |those |some )?(?:child|children|kids|pupil|pupils|students?) (?:in|at|behind|when|and) .*",
            r"(?:made|makes|told|making) me promise (?:not to tell|to keep (?:it )?(?:a )?secret)|(?:told|tells) me not to tell (?:anyone|anybody|my mum|my dad)",
            r"forced marriage|forcing (?:me|her) to marry|being (?:made|forced) to marry|female genital mutilation|fgm|county lines|"
            r"(?:made|making|makes|forcing|force|forced) (?:me|him|her|us) (?:to )?(?:carry|sell|deliver|hold) (?:drugs|stuff|packages?|weed)",
            r"domestic (?:violence|abuse) (?:at home|victim)|victim of (?:domestic )?(?:abuse|violence)|"
            r"(?:i am|im|i was|she is|shes) (?:being )?(?:abused|exploited|groomed|trafficked)",
            rf"being (?:hurt|harmed|abused|hit|beaten) (?:at home|by (?:a|an|my|her|his|their|someone|somebody) ?(?:{_FAMILY}|\w+)?)",
            r"(?:a |some |an )?(?:man|men|guy|stranger|adult|bloke|someone older|older (?:boy|man|lad)) .{0,40}(?:asking|asked|asks|messaging|messages|follow(?:s|ed|ing)|"
            r"grabb(?:ed|ing)|filming|offer(?:s|ed|ing)) .{0,20}(?:girls?|boys?|children|kids|child|pupils?|pupil|me|my (?:daughter|son))(?: .{0,40})?",
            r"(?:i have|i ve|ive|she has|he has|got) (?:\w+ )?bruises (?:from|where|because).*",
        ),
        re.compile(r"hits me (?:up|different|hard|right)|(?:song|story|film|book|play|poem|novel|drama|assembly) .{0,30}about|beats me (?:at|every|how|why|to)"),
    ),
)
_CRISIS = (
    Rule(
        Guard.CRISIS,
        "Somebody may be thinking of ending their life or hurting themselves.",
        _any(
            r"(?:i|id|just|really|she|he|they|son|daughter|child|lad|boy|girl|kid) (?:\w+ )?(?:want|wants|wanna|wanted|wish|wishes|wishing|wanting) (?:to (?:die|be dead|not be here|end it(?: all)?|disappear"
            r" for ?ever)|die|i (?:was|were|could be) dead|i (?:could|would) (?:die|not wake up)|i had never been born|i was never born)",
            r"(?:want|wanna|wants|going|gonna|plan|planning|thinking|thought|think|tried|trying|try|threatened|threatening|rather|might|will|could) "
            r"(?:to |of |about )*(?:kill(?:ing)?|hang(?:ing)?|drown(?:ing)?|shoot(?:ing)?|hurt(?:ing)?|harm(?:ing)?|cut(?:ting)?) (?:myself|himself|herself|themselves)",
            r"(?:kill|hang|cut|cutting|cuts|hurt|hurting|harm|harming|starve|starving|burn|burning) myself",
            r"(?:cuts|cutting|hurts|hurting|harms|harming) (?:himself|herself|themselves)",
            r"(?:suicid(?:e|al)|self ?harm(?:s|ed|ing)?|overdos(?:e|ed|ing)|unalive (?:myself|me))(?: .*)?",
            r"end (?:my|it|his|her) (?:life|all)|ending (?:my life|it all)|take my (?:own )?life|taking my (?:own )?life|kms|ctb",
            r"(?:no|isnt any|not any|see no|isnt a|any) (?:point|reason) (?:in |to )?(?:living|being here|being alive|carry(?:ing)? on|going on|live|go on|life|be here)(?: any ?more)?",
            r"(?:cant|cannot|can not|dont want to|do not want to|dont know if i can|not sure i can) (?:go on|carry on|do this any ?more|cope any ?more|live (?:any ?more|like this|with this)|be here any ?more|wake up|take (?:it|this) any ?more)(?: any ?more)?",
            r"(?:better off|world .{0,20}better) (?:dead|without me)|(?:everyone|they|you|family|mum|people|yous?) (?:would|will|d|all)? ?(?:be|are) better off without me|nobody would (?:miss|notice) (?:me|if i)(?: .*)?",
            r"(?:took|taken|taking|swallowed|have taken) (?:a |an )?(?:load|lot|lots|loads|bunch|all|whole|too many|so many|overdose)(?: of)?(?: \w+)? ?(?:pills|tablets|paracetamol|medication|medicine|meds)?(?: .*)?(?:pills|tablets|paracetamol|meds|overdose)",
            r"goodbye everyone(?: i| im| sorry| .{0,20}(?:last|forgive).*)|(?:this is|heres) my (?:last|final) (?:post|message|goodbye)|dont want to (?:be alive|exist|live)(?: any ?more)?|do not want to live|hate my life .{0,30}(?:die|end|over)",
        ),
        re.compile(
            r"(?:prevention|awareness|support|training|helpline|charity|policy|talk|walk|week|day|fundrais\w+|assembly|leaflet|workshop) .{0,20}(?:suicide|self ?harm)|"
            r"(?:suicide|self ?harm) (?:prevention|awareness|support|training|helpline|charity|policy|talk|squad|leaflet|workshop|bomber)|(?:die|kill yourself) laughing"
        ),
    ),
)
_WHISTLE = (
    Rule(
        Guard.WHISTLEBLOWING,
        "Somebody may be reporting wrongdoing inside the school.",
        _any(
            r"(?:i|we) (?:used to |have |ve )?(?:work|worked|teach|taught|volunteer|volunteered)(?: \w+)? (?:there|here|at|in|for) .{0,120}(?:safeguarding|falsif\w+|fiddl\w+|cover(?:ed|ing)? up|illegal|unsafe|fraud|stolen|stealing|records?|log|logs|ignored|budget|money|cheat\w*|coursework|figures|never (?:filled|done|reported|checked))",
            r"(?:staff|teachers|tas|we|i) (?:have been|were|are|was|been|got|get|being) (?:told|asked|ordered|made|forced|instructed|pressured) (?:not )?to (?:\w+ )?(?:change|alter|keep quiet|lie|hide|delete|shred|fake|falsify|cover|sign|backdate|record|report|say)(?: .*)?",
            r"(?:falsif(?:y|ied|ying)|fak(?:e|ed|ing)|fiddl(?:e|ed|ing)|doctored|altered|backdat(?:ed|ing)|massag(?:ed|ing)) (?:the |their |our |its )?(?:\w+ )?(?:figures|records?|registers?|attendance|results|grades|marks|coursework|data|sats|accounts|numbers|logs?)",
            r"(?:cover(?:ed|ing)? (?:it|this|that|things|everything)? ?up|cover up|hushed up|swept under the (?:carpet|rug)|brushed under the carpet)",
            r"whistle ?blow(?:er|ers|ing|s)?|blow(?:ing)? the whistle|gagging (?:clause|order)",
            r"(?:reported|raised|told) (?:it|this|that|my concerns?|a concern|concerns) .{0,60}(?:told to (?:keep quiet|be quiet|drop it|shut up|leave it)|nothing (?:was|has been|is|got)? ?(?:done|happened)|ignored|brushed off|warned)",
            r"(?:misus(?:e|ed|ing)|stealing|stole|embezzl\w+|pocket(?:ed|ing)) (?:of )?(?:the )?(?:school|trust|pta|charity|pupil premium|public) ?(?:money|funds?|budget|cash)?",
            r"(?:no|without|lacks?|didnt have|never had) (?:a |any |valid |an )?(?:dbs|crb)(?: checks?)?(?: .*)?|safeguarding (?:failure|failures|concerns? (?:ignored|not)|breach|log is never|is being ignored)",
        ),
        re.compile(r"(?:referee|ref|umpire) .{0,20}whistle"),
    ),
)
_COMPLAINT = (
    Rule(
        Guard.COMPLAINT,
        "It complains about the school or criticises how it is run, which people may do in public.",
        _any(
            r"(?:formal |official |a |my |our )*(?:complain(?:t|ts|ed|ing)?|grievance)(?: (?:about|to|against|was|has|form|procedure|is|letter).*)?",
            r"(?:ignored|ignoring|ignores|not (?:answered|replied|responded)|hasnt (?:answered|replied|responded|called|rung)|havent (?:answered|replied|heard|had)|never (?:answered|replied|called|rang|got back|get back)|no (?:reply|response|answer)) .{0,60}(?:emails?|e mails?|calls?|letters?|concerns?|messages?|requests?|bullying|meeting|parents|me|us|back|the school)",
            r"(?:emails?|calls?|letters?|concerns?|messages?|complaints?|requests?)(?: \w+){0,6} (?:ignored|unanswered|not (?:answered|replied))",
            r"(?:nothing|not enough|little) (?:was|has been|is|gets|is being|ever gets|ever|been)? ?(?:done|changed|happens|happened)(?: about.*)?|(?:nobody|no one|noone) (?:did|does|has done|is doing|will do|would do) anything|(?:failed|failing|failure|fails?|let) .{0,30}(?:children|child|pupils|kids|send|duty of care|son|daughter|parents|our|us)(?: down)?",
            r"(?:bullied|bullying) .{0,80}(?:nothing|ignored|not (?:been )?(?:dealt|good)|done about|school|weeks|months|years|terms?)|(?:deals?|dealt|dealing|handled?|handling) .{0,20}(?:bullying|bullies)",
            r"(?:ofsted|tribunal|ombudsman|solicitor|local authority|the council|my mp|governors meeting|the trust board|legal action)(?: .*)?",
            r"(?:not (?:happy|impressed|good enough|acceptable|ok|satisfied)|unhappy|disappointed|dissatisfied|unacceptable|disgraceful|appalling|shocking|poor (?:leadership|communication|management)|shambles) .{0,80}(?:school|head|headteacher|teacher|governors?|trust|staff|leadership|spoke|handled|treated|decision|policy|son|daughter|child|class|about|with|how)",
            r"(?:i|we) (?:want|demand|expect|deserve|would like|need) (?:an? |the |some )?(?:apology|explanation|answers?|truth|meeting|response)(?: .*)?|(?:speak|talk|meeting) (?:to|with) (?:the |mr |mrs |miss |ms )?(?:\w+ )?.{0,20}about (?:what|how|the|this|my|why|his|her)(?: .*)?",
            r"(?:lack of|lacking|no) (?:supervision|support|communication|provision|transparency|accountability|consistency)(?: .*)?|(?:should|needs? to|must|ought to) (?:resign|apologi[sz]e|step down|listen|be investigated|be held)(?: .*)?|no confidence in(?: .*)?|ehcp|needs (?:are )?not (?:being )?met",
            r"(?:unfair|unfairly|wrong|wrongly|rude|disrespectful) .{0,30}(?:to (?:me|us|my|the|parents|pupils)|excluded|punished|treated|accused|isolation|decision|exclusion|detention|suspended)",
            r"(?:punish|punished|punishing) the whole class|(?:dont|do not) (?:agree|think) .{0,60}(?:policy|decision|handled|rule|uniform|head|school|governors|right|fair)|(?:handled|dealt with) (?:\w+ )?(?:well|badly|poorly|terribly|properly|appallingly)(?: .*)?",
        ),
    ),
)
_INDECENT = (
    Rule(
        Guard.INDECENT_IMAGE,
        "It may speak of, ask for or link to an indecent picture of a child. Do not look for it or open it.",
        _any(
            r"(?:nudes?|naked|topless|indecent|explicit|sexual|dirty|rude|intimate|underwear) (?:\w+ ){0,2}(?:pics?|pictures?|photos?|images?|videos?|vids?|selfies?|snaps?)(?: \w+){0,6} (?:of|from) (?:(?:a|an|the|some|this|that|my|those|these|our) )?(?:\w+ ){0,2}(?:girls?|boys?|kids?|child|children|pupils?|students?|daughter|son|year \d+|y\d+|class|underage|minor|minors|\d+ year old)",
            r"(?:nudes?|naked (?:pics?|pictures?|photos?|videos?)) (?:of|from) (?:\w+ ){0,3}(?:in|at) (?:year|y|school|class|her|his|the|\d+)(?: ?\w+)?",
            r"(?:asking|asks|asked|wants?|wanted|making|made|make|forced|forcing|told|tells|pressur\w+|blackmail\w*) (?:me|her|him|girls?|boys?|kids|children|pupils|my (?:daughter|son)|us) (?:\w+ ){0,3}(?:to send |for |send )?(?:\w+ )?(?:nudes?|naked|topless|dirty|rude|intimate|indecent|pics? of (?:my|her|him|them)|pictures? of (?:my|her|him|them)sel\w+)(?: .*)?",
            r"(?:keeps|keep|is|was|are|been) asking (?:me|her|him|us|my (?:daughter|son)) (?:for|to send) (?:\w+ )?(?:pics?|pictures?|photos?|videos?|nudes?)(?: .*)?",
            r"(?:someone|somebody|he|she|they|a boy|a girl|boys|kids|lads|people|everyone|year \d+s?|y\d+s?|who)(?: \w+){0,3} (?:shar(?:ed|es|ing)|sent|sending|sends|leak(?:ed|s|ing)|post(?:ed|ing|s)|spread(?:ing)?|passing|got|has|have|selling|trading) (?:\w+ ){0,4}(?:nudes?|naked \w+|sex tape|topless \w+|indecent \w+)(?: .*)?",
            r"(?:nudes?|naked (?:pics?|pictures?|photos?|videos?)) (?:\w+ ){0,4}(?:going round|going around|shared|leaked|sent round|on snapchat|on snap|in the group chat|doing the rounds)(?: .*)?",
            r"(?:child (?:porn|pornography|sexual abuse material|abuse images)|csam|kiddie porn|kid porn|underage (?:porn|nudes?|girls? (?:pics?|vids?|nude)|sex)|jailbait|deepfake (?:nude|naked)\w*|nudif(?:y|ied)|undress(?:ing)? app)(?: .*)?",
            r"(?:dm|message|inbox|link|trade|swap|selling|sell|buy|got|have) (?:\w+ ){0,4}(?:cp|young (?:girls?|boys?|teens?) (?:pics?|vids?|nudes?|videos?)|teen nudes?|schoolgirl (?:pics?|vids?|nudes?))(?: .*)?",
            r"upskirt(?:ed|ing|s)?|(?:film|filming|filmed|photograph\w*|pictures?|photos?|videos?) (?:\w+ ){0,3}(?:in|of) (?:\w+ ){0,3}(?:changing rooms?|showers|toilets|getting changed|undressed)",
        ),
        re.compile(r"(?:naked|nude)(?: \w+)? (?:flame|eye|truth|mole|gun|chef|painting|paintings|life drawing|lipstick|colou?r|tights|shoes)|nudes? (?:and|in) (?:art|painting|gcse)"),
    ),
)
_ALLEGATION = re.compile(
    r"(?<![^ ])(?:touch(?:ed|es|ing) (?:\w+ ){0,2}(?:girls?|boys?|kids?|child|children|pupils?|students?|daughter|son|him|her|me|them|up|inappropriately)|"
    r"gro(?:pe[ds]?|ping|omed|oming|oms)|molest(?:ed|s|er|ing)|rap(?:ed|ist|es|ing)|paedo(?:phile)?s?|pedo(?:phile)?s?|nonces?|noncing|pervert|perv|predator|sex offender|"
    r"(?:hit|hits|hitting|slapped|slaps|punched|kicked|grabbed|grabs|grabbing|pushed|shoved|dragged|strangled|choked|hurt|hurts|hurting|assaulted|assaults|attacked|threw \w+ at|restrained|locked) "
    r"(?:a |an |the |my |our |some |another |his |her |their |two |this |that )?(?:\w+ )?(?:girls?|boys?|kids?|child|children|pupils?|students?|daughter|son|lad|nephew|niece|granddaughter|grandson|brother|sister|year \d+|y\d+|me|him|her)|"
    r"(?:sleep(?:ing|s)?|slept|affair|sex|relationship|messag(?:ed|es|ing)|text(?:ed|s|ing)|snapchat\w*|flirt(?:ed|s|ing)) (?:with )?(?:a |an |the |my |his |her )?(?:\w+ )?(?:pupils?|students?|girls?|boys?|child|children|daughter|son|year \d+|y\d+|sixth formers?|kids?)|"
    r"(?:arrested|suspended|investigated|charged|sacked|under investigation|accused|questioned) (?:\w+ )?(?:for|over|by|of|after|because) .{0,60}|inappropriate(?:ly)? (?:\w+ )?(?:with|messages?|touch\w*|relationship|behaviour|towards|contact)|abus(?:ed|es|ing|er)(?: \w+)? ?(?:children|kids|child|pupils?|him|her|my|girls?|boys?)?|"
    r"(?:drunk|drinking|drugs|on drugs|smell(?:s|ed|ing)? of (?:drink|alcohol)) (?:\w+ ){0,3}(?:in (?:class|school|lesson\w*)|at (?:work|school)|on (?:the )?(?:job|trip|residential)))(?![^ ])"
)
_STAFF_WORD = re.compile(
    r"(?<![^ ])(?:(?:the|a|our|my|his|her|their|this|that|another) )?(?:\w+ )?(?:teacher|headteacher|head|deputy head|ta|teaching assistant|coach|tutor|caretaker|staff member|member of staff|"
    r"sir|miss|receptionist|cover supervisor|dinner lady|lunch supervisor)(?![^ ])"
)
_ACCUSED = "It names or points at a member of staff together with an allegation; publishing that can be an offence (Education Act 2002 s141F)."

_WORDS: dict[Guard, frozenset[str]] = {
    guard: frozenset(listed.split())
    for guard, listed in {
        Guard.DISCLOSURE: """
            dad dads father mum mums mother mam mummy daddy brother sister uncle aunt auntie grandad grandpa nan cousin parents carer carers
            boyfriend girlfriend husband wife partner ex stepdad stepmum makes made forces forced feed feeds feeding fed scared afraid frightened
            terrified unsafe safe raped molested groomed abused abuse assaulted touched touches touching groped gropes groping fiddles fiddled
            fiddling hurting harming hurts harms hurt harm promise marry marriage fgm mutilation county carry sell deliver hold man
            men guy stranger adult bloke older bruises exploited trafficked secret tell hit hits hitting locks locked
            """,
        Guard.CRISIS: """
            die dead kill killing hang hanging drown drowning shoot shooting myself himself herself themselves suicide suicidal overdose overdosed
            overdosing overdoses unalive life living alive self selfharm cutting kms ctb here born tablets pills paracetamol meds medication medicine
            anymore disappear cope wake better miss notice goodbye exist end ending live up go carry
            """,
        Guard.WHISTLEBLOWING: """
            worked work teach taught volunteer volunteered told asked ordered forced instructed pressured falsify falsified falsifying fake faked
            faking fiddled fiddle fiddling doctored altered backdated backdating massaged massaging cover covered covering hushed swept brushed
            blow blowing whistle whistleblower whistleblowers whistleblowing whistleblow whistleblows gagging reported raised misuse misused stealing stole
            embezzled embezzling pocketed pocketing dbs crb safeguarding
            """,
        Guard.COMPLAINT: """
            complain complaint complaints complained complaining grievance ignored ignoring ignores answered replied responded reply response answer
            unanswered nothing not enough little nobody one noone failed failing failure fails let bullied bullying bullies ofsted tribunal ombudsman
            solicitor authority council mp governors board legal impressed unhappy disappointed dissatisfied unacceptable disgraceful appalling
            shocking poor shambles apology explanation answers truth meeting speak talk lack lacking supervision support communication provision
            transparency accountability consistency resign apologise apologize step listen investigated held confidence ehcp needs unfair unfairly
            wrong wrongly rude disrespectful whole dont handled dealt deals dealing handling hasnt havent never satisfied
            """,
        Guard.INDECENT_IMAGE: """
            nude nudes naked topless indecent explicit sexual dirty rude intimate underwear pics pictures pic picture photos photo videos video tape
            porn pornography csam abuse underage jailbait deepfake nudify nudified undress undressing cp young teen schoolgirl upskirt upskirts
            upskirted upskirting changing showers toilets changed undressed
            """,
    }.items()
}
"""Normalised words without one of which a guard's rules cannot match; a test holds that."""

_ACCUSING = frozenset(
    """
    touched touches touching grope groped gropes groping groomed grooming grooms molested molests molester molesting raped rapist rapes raping
    paedo paedos paedophile paedophiles pedo pedos pedophile pedophiles nonce nonces noncing pervert perv predator offender hit hits hitting slapped
    slaps punched kicked grabbed grabs grabbing pushed shoved dragged strangled choked hurt hurts hurting assaulted assaults attacked threw
    restrained locked sleep sleeping sleeps slept affair sex relationship messaged messages messaging texted texting texts flirt flirted flirts
    flirting arrested suspended investigated charged sacked investigation accused questioned inappropriate inappropriately abuse abused abuses abusing
    abuser drunk drinking drugs smell smells smelled smelling snapchat snapchatted snapchatting
    """.split()
)
_RULES = _DISCLOSURE + _CRISIS + _WHISTLE + _COMPLAINT + _INDECENT


def guards(normalised: str, people: Iterable[PersonSpan] = ()) -> tuple[GuardHit, ...]:
    """Return the guards that apply to a normalised text, at most one hit of each; spans point into the normalised text. Never fails."""
    listed = normalised.split(" ")
    wanted = {guard for guard, some in _WORDS.items() if not some.isdisjoint(listed)}
    hits = [hit for rule in _RULES if rule.guard in wanted and (hit := _hit(rule, normalised)) is not None] if wanted else []
    if not _ACCUSING.isdisjoint(listed):
        accused = _accused(normalised, any(person.kind is PersonKind.STAFF and person.strong for person in people))
        hits += [accused] if accused else []
    if not hits:
        return ()
    first = {hit.guard: hit for hit in reversed(hits)}
    return tuple(first[guard] for guard in Guard if guard in first)


def _hit(rule: Rule, normalised: str) -> GuardHit | None:
    match = rule.find.search(normalised)
    if match is None or (rule.unless is not None and rule.unless.search(normalised)):
        return None
    return GuardHit(rule.guard, *match.span(), rule.why)


def _accused(normalised: str, staff_named: bool) -> GuardHit | None:  # noqa: FBT001 - a fact found by the caller, not a mode
    allegation = _ALLEGATION.search(normalised)
    if allegation is None or not (staff_named or _STAFF_WORD.search(normalised)):
        return None
    return GuardHit(Guard.ACCUSED_TEACHER, *allegation.span(), _ACCUSED)
