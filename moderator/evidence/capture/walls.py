"""Why a page does not show the comment: a cookie notice, a sign-in wall, an age or robot check. Called by `shown`.

Told by how the page is built and by its words, in the languages a UK school's readers may be served. No button is ever pressed: what stands
in the way is recorded, and the record is drawn from the platform's data instead.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

COOKIE_MARKS = (
    "#onetrust-banner-sdk", "#CybotCookiebotDialog", ".qc-cmp2-container", "#didomi-host", "#didomi-popup", "#usercentrics-root",
    "[id^=sp_message_container]", ".fc-consent-root", "#truste-consent-track", ".osano-cm-window", "#cookiescript_injected",
    "#iubenda-cs-banner", "#axeptio_overlay", ".cky-consent-bar", ".cky-modal", "#cmplz-cookiebanner-container", "#tarteaucitronRoot",
    ".klaro .cookie-modal", "#cookie-law-info-bar", "#ccc-overlay", "#ccc", ".cc-window", "#gdpr-consent-tool-wrapper", "#cmpbox",
    "[data-testid=cookie-policy-manage-dialog]", "[data-cookiebanner]", "form[action*='consent.']", "ytd-consent-bump-v2-lightbox",
)  # fmt: skip
"""Elements of the consent frameworks in common use and of the platforms' own notices (their public documents and pages)."""
ROBOT_MARKS = ("iframe[src*=captcha]", "#challenge-form", "#challenge-running", ".g-recaptcha", ".h-captcha", ".cf-turnstile")

_COOKIE_WORDS = re.compile(
    r"cookie|cwci|we value your privacy|your privacy choices|before you continue to|avant d'accéder|bevor sie fortfahren"
    r"|datenschutz|vie privée|consentement|zgod[aę] na|ciastecz|informasjonskaps|evästee|süti|çerez|куки|файлы cookie|クッキー"
    r"|ملفات تعريف الارتباط|کوکی|कुकी|কুকি|ਕੂਕੀ|隐私|同意する",
    re.IGNORECASE,
)
_SIGN_IN_WORDS = re.compile(
    r"\b(sign|log)[ -]?(in|on|into)\b|\bsign up\b|\bcreate (an |new )?account\b|\bjoin (now|today)\b|already have an account"
    r"|mewngofnod|cofrestr|se connecter|connectez-vous|connexion|s'inscrire|anmelden|einloggen|registrieren|inici(a|ar) sesión|registrarse"
    r"|\baccedi\b|iscriviti|iniciar sessão|\bentrar\b|inloggen|aanmelden|zaloguj|zarejestruj|logga in|\blog ind\b|logg inn|kirjaudu"
    r"|giriş yap|oturum aç|autentific|conecteaz|влез|войти|войдите|увійти"
    r"|تسجيل الدخول|سجّل الدخول|لاگ ان|लॉग इन|লগ ইন|ਲੌਗ ਇਨ|ログイン|登录|登入|로그인",
    re.IGNORECASE,
)
_AGE_WORDS = re.compile(
    r"(confirm|verify|enter) your (age|date of birth|birthday)|age[- ]restricted|you must be (over )?1[368]"
    r"|vérifi\w* (votre|ton) âge|alter bestätigen|verifica tu edad|zweryfikuj wiek",
    re.IGNORECASE,
)
_ROBOT_WORDS = re.compile(
    r"(verify|prove|confirm)\w* (that )?you('re| are) (a )?(human|not a robot)|are you a robot|unusual traffic|checking your browser"
    r"|enable javascript|javascript is (not available|disabled)|captcha",
    re.IGNORECASE,
)
_SIGN_IN_PATH = re.compile(r"/(login|log-in|signin|sign-in|accounts?/login|i/flow/login|authwall|checkpoint)\b", re.IGNORECASE)


class Wall(StrEnum):
    """What a page showed in place of the comment, as a plain sentence."""

    COOKIES = "the site showed a cookie notice over the page"
    SIGN_IN = "the site asked to sign in first"
    AGE = "the site asked for an age first"
    ROBOT = "the site wanted to know whether a person is there"
    COVERED = "something on the page lay over the comment"
    PARTLY = "the page shows only part of the comment"
    FAINT = "the page shows the comment blurred or too faint to read"
    ABSENT = "the page does not show the comment"


@dataclass(frozen=True, slots=True)
class Signs:
    """What a page gives away: its address, words and marks. `words` are those of what is in the way, or of the page when that is short."""

    address: str
    words: str
    password: bool = False
    cookie_mark: bool = False
    robot_mark: bool = False


def wall_of(signs: Signs, *, otherwise: Wall) -> Wall:
    """Return which wall the signs speak of, or `otherwise`. Structure speaks before words, and a password field before a cookie notice."""
    if signs.robot_mark or _ROBOT_WORDS.search(signs.words):
        return Wall.ROBOT
    if signs.password or sign_in_address(signs.address):
        return Wall.SIGN_IN
    if signs.cookie_mark or consent_address(signs.address):
        return Wall.COOKIES
    if _AGE_WORDS.search(signs.words):
        return Wall.AGE
    cookies, sign_in = len(_COOKIE_WORDS.findall(signs.words)), len(_SIGN_IN_WORDS.findall(signs.words))
    if cookies == sign_in == 0:
        return otherwise
    # Sign-in walls link to a cookie policy, and cookie notices offer a sign-in: what is said more often is meant.
    return Wall.COOKIES if cookies >= sign_in else Wall.SIGN_IN


def sign_in_address(address: str) -> bool:
    """Return whether an address is that of a sign-in page: its path says so, or its host is one for accounts."""
    parts = urlsplit(address)
    return bool(_SIGN_IN_PATH.search(parts.path)) or (parts.hostname or "").split(".")[0] in {"login", "accounts", "signin", "auth"}


def consent_address(address: str) -> bool:
    """Return whether an address is that of a consent page, such as the one before YouTube."""
    return (urlsplit(address).hostname or "").split(".")[0] == "consent"
