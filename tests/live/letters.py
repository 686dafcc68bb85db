"""Mail as companies send it, all of them invented."""

# ruff: noqa: RUF001  Chinese has commas of its own.

from __future__ import annotations

from collections.abc import Callable
from email.headerregistry import Address
from email.message import EmailMessage
from html import escape

CODE = "493817"


def letter(
    recipient: str,
    subject: str = "Your code",
    text: str = f"Your code is {CODE}.\n",
    *,
    sender: str = "Harbour Books",
    host: str = "harbour-books.example",
    html: str | None = None,
) -> EmailMessage:
    """A mail, with HTML when there is some."""
    message = EmailMessage()
    message["From"] = Address(sender, "hello", host)
    message["To"] = recipient
    message["Subject"] = subject
    message.set_content(text)
    if html is not None:
        message.add_alternative(f"<!DOCTYPE html><body>{html}", subtype="html")
    return message


def with_everything(recipient: str, host: str = "harbour-books.example") -> EmailMessage:
    """Code, link, HTML with pictures of two hosts, an attachment."""
    message = letter(
        recipient,
        "Confirm your address",
        f"Your code is {CODE}.\nOr open http://{host}/confirm?token=0123456789abcdef\n",
        host=host,
        html=(
            f"<h1>Welcome</h1><p>Your code is <b>{CODE}</b>.</p>"
            f"<p><a href='http://{host}/confirm?token=0123456789abcdef'>"
            "Confirm your address</a></p>"
            f"<p><img src='http://pictures-{host}/logo.png' width=320 height=200 alt='Logo'>"
            f"<img src='http://more-{host}/banner.png' width=320 height=200 alt='Banner'></p>"
        ),
    )
    message.add_attachment(
        b"%PDF-1.4 terms", maintype="application", subtype="pdf", filename="terms.pdf"
    )
    return message


def tall(recipient: str, rows: int = 60) -> EmailMessage:
    """HTML far longer than a window."""
    html = "".join(f"<p style='height:40px;margin:0'>Row {n}</p>" for n in range(rows))
    return letter(recipient, "A long one", "Long.\n", html=html)


def newsletter(recipient: str) -> EmailMessage:
    """A long one with a layout."""
    articles = (
        (
            "The tide tables are back",
            "Every harbour from Fjordvik to Santa Lucía now has a page, with high water to the "
            "minute and the wind of the next two days. Print one for the wheelhouse; it fits on a "
            "single sheet.",
        ),
        (
            "A chart that was wrong for ninety years",
            "A reader in Port Ellery compared our reprint of the 1931 survey with her sounder. "
            "The rock is there. It is forty metres further north. Her letter, and how the new "
            "edition marks it, begins on page twelve.",
        ),
        (
            "Winter reading, chosen by lighthouse keepers",
            "Five retired keepers on what they read through the long nights: two sea stories, one "
            "cookbook, a treatise on moss, and a railway timetable that nobody could explain.",
        ),
        (
            "Workshop: binding a log book",
            "Saturday the 24th, ten o'clock, in the shop on Quay Street. Paper and coffee are "
            "there; bring a bone folder if you have one. Twelve places, four of them left.",
        ),
        (
            "From the second-hand shelf",
            "A clean set of the Northern Pilot, volumes one to four; three copies of Knots for the "
            "Impatient; and the only cloth-bound tide almanac of 1958 that we have ever seen.",
        ),
    )
    cards = "".join(
        "<tr><td style='padding:24px 32px;border-top:1px solid #e3ded2'>"
        f"<h2 style='margin:0 0 8px;font:600 20px Georgia,serif;color:#17384a'>{escape(title)}</h2>"
        f"<p style='margin:0 0 12px;font:16px/1.6 Georgia,serif;color:#333'>{escape(text)}</p>"
        "<a href='https://harbour-books.example/read' style='color:#9a4a1c'>Read on</a></td></tr>"
        for title, text in articles
    )
    html = (
        "<table role=presentation width='100%' style='background:#f3efe6'><tr><td align=center>"
        "<table role=presentation width=600 style='max-width:600px;background:#fffdf8'>"
        "<tr><td style='padding:32px;background:#17384a'>"
        "<p style='margin:0;font:600 26px Georgia,serif;color:#fff'>Harbour Books</p>"
        "<p style='margin:6px 0 0;font:15px Georgia,serif;color:#cfdde4'>"
        "The quarterly letter, winter</p></td></tr>"
        "<tr><td style='padding:0'><img src='https://pictures.harbour-books.example/winter.png' "
        f"width=600 height=120 alt='The harbour in snow'></td></tr>{cards}"
        "<tr><td style='padding:24px 32px;background:#f3efe6;font:13px Georgia,serif;color:#555'>"
        "Quay Street 7, Port Ellery. You get this because you asked for it. "
        "<a href='https://harbour-books.example/unsubscribe'>Unsubscribe</a></td></tr>"
        "</table></td></tr></table>"
    )
    text = "\n\n".join(f"{title}\n\n{body}" for title, body in articles) + "\n"
    return letter(
        recipient, "The quarterly letter: tide tables, and a rock that moved", text, html=html
    )


def chinese(recipient: str) -> EmailMessage:
    """A mail in Chinese with a code."""
    html = (
        "<div style='max-width:560px;font:16px/1.8 sans-serif;color:#222'>"
        "<h2 style='color:#8a2b1d'>欢迎加入青云书店</h2>"
        "<p>尊敬的读者，您好！</p>"
        "<p>感谢您注册青云书店会员。请在页面上输入以下验证码，完成邮箱验证：</p>"
        "<p style='font-size:28px;letter-spacing:4px'><b>628405</b></p>"
        "<p>验证码将在十分钟后失效。如果这不是您本人的操作，请忽略此邮件，您的信息不会被保存。</p>"
        "<p>本月新书：《山间邮差》《雨季的灯塔》《茶馆里的数学家》。会员购书享受九折优惠，满一百元包邮。</p>"
        "<p style='color:#777;font-size:13px'>青云书店 · 临江路二十八号</p></div>"
    )
    text = "尊敬的读者，您好！\n\n您的验证码是 628405，十分钟内有效。\n\n青云书店\n"
    return letter(
        recipient,
        "【青云书店】邮箱验证码 628405",
        text,
        sender="青云书店",
        host="qingyun-books.example",
        html=html,
    )


def arabic(recipient: str) -> EmailMessage:
    """A mail in Arabic with a code."""
    html = (
        "<div dir=rtl style='max-width:560px;font:17px/1.9 sans-serif;color:#222'>"
        "<h2 style='color:#1d5a4a'>مرحبًا بك في مكتبة المنارة</h2>"
        "<p>عزيزنا القارئ،</p>"
        "<p>شكرًا لتسجيلك في مكتبة المنارة. رمز التحقق الخاص بك هو:</p>"
        "<p style='font-size:28px;letter-spacing:4px'><b dir=ltr>730164</b></p>"
        "<p>ينتهي هذا الرمز خلال عشر دقائق. إذا لم تطلب هذا الرمز فتجاهل هذه الرسالة، "
        "ولن نحتفظ بأي من بياناتك.</p>"
        "<p>جديد هذا الشهر: «ساعي الجبل» و«منارة المطر» و«عالم الحساب في المقهى».</p>"
        "<p style='color:#777;font-size:13px'>مكتبة المنارة، شارع الميناء ٢٨</p></div>"
    )
    text = "عزيزنا القارئ،\n\nرمز التحقق الخاص بك هو 730164.\n\nمكتبة المنارة\n"
    return letter(
        recipient,
        "رمز التحقق من مكتبة المنارة",
        text,
        sender="مكتبة المنارة",
        host="manara-books.example",
        html=html,
    )


def order(recipient: str) -> EmailMessage:
    """One with an attachment."""
    message = letter(
        recipient,
        "Your order 20417 is on its way",
        "Two books left Port Ellery this morning. The invoice is attached.\n",
    )
    message.add_attachment(
        b"%PDF-1.4 invoice", maintype="application", subtype="pdf", filename="invoice-20417.pdf"
    )
    return message


def _short(subject: str, text: str, sender: str, host: str) -> Callable[[str], EmailMessage]:
    return lambda recipient: letter(recipient, subject, text + "\n", sender=sender, host=host)


TEN: tuple[Callable[[str], EmailMessage], ...] = (
    _short(
        "Welcome aboard, and one thing before you start",
        "Thank you for signing up to Fjord Rail. Pick the stations you travel between, and we tell "
        "you of every change of timetable.",
        "Fjord Rail",
        "fjord-rail.example",
    ),
    newsletter,
    order,
    _short(
        "Reset your password",
        "Somebody asked to reset your password. Open "
        "https://id.lumen-energy.example/reset?token=9f2c1b7e44d0a6c3 within thirty minutes.",
        "Lumen Energy",
        "lumen-energy.example",
    ),
    arabic,
    _short(
        "Re: The flat on Linden Street",
        "The viewing is on Thursday at half past five. Ring the bell marked Okafor; the lift is "
        "being repaired.",
        "Amara Okafor",
        "linden-homes.example",
    ),
    chinese,
    _short(
        "Your table for four is booked",
        "Saturday, 19:30, by the window. Tell us by Friday if somebody does not eat fish.",
        "Osteria al Molo",
        "almolo.example",
    ),
    _short(
        "Build 1184 failed on main",
        "2 of 318 checks failed: test_checkout_total, test_voucher_twice. Started by a push of "
        "three commits.",
        "Kiln CI",
        "kiln-ci.example",
    ),
    _short(
        "482 913 is your sign-in code",
        "Your sign-in code is 482913. It is good for ten minutes. We never ask for it.",
        "Northwind Bank",
        "northwind-bank.example",
    ),
)
"""Ten mails, the newest last."""
