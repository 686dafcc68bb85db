"""Mails as real programmes write them, by name: what the tests of reading are held against."""

from __future__ import annotations

import base64

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

# At the end of a line, where editors would take it away.
SPACE = " "


def crlf(text: str) -> bytes:
    """A mail written with LF, as it goes over the wire."""
    return text.replace("\n", "\r\n").encode()


def b64(octets: bytes) -> str:
    """Base64 in lines, as mail programmes break them."""
    return base64.encodebytes(octets).decode().rstrip("\n")


GMAIL = crlf(
    f"""\
Delivered-To: bob@example.net
Received: by 2002:a05:6512:3d0b:0:0:0:0 with SMTP id d11csp100; Tue, 2 Jan 2024 03:04:05 -0800 (PST)
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=gmail.com; s=20230601;
        h=to:subject:message-id:date:from:mime-version; bh=abc=;
        b=def
MIME-Version: 1.0
From: =?UTF-8?Q?Zo=C3=AB_Ann?= <zoe.ann@gmail.com>
Date: Tue, 2 Jan 2024 12:04:05 +0100
Message-ID: <CAF+x=abc@mail.gmail.com>
Subject: =?UTF-8?B?8J+OiSBSZXNlcnZhdGlvbiBjb25maXJtw6ll?=
To: Bob <bob@example.net>
Content-Type: multipart/mixed; boundary="000000000000a1b2c3060df"

--000000000000a1b2c3060df
Content-Type: multipart/related; boundary="000000000000a1b2c2060dd"

--000000000000a1b2c2060dd
Content-Type: multipart/alternative; boundary="000000000000a1b2c0060dc"

--000000000000a1b2c0060dc
Content-Type: text/plain; charset="UTF-8"
Content-Transfer-Encoding: quoted-printable

Votre r=C3=A9servation est confirm=C3=A9e.
[image: logo.png]

--000000000000a1b2c0060dc
Content-Type: text/html; charset="UTF-8"
Content-Transfer-Encoding: quoted-printable

<div dir=3D"ltr">Votre r=C3=A9servation est confirm=C3=A9e.<br><img src=3D"=
cid:ii_lq0abc" alt=3D"logo.png"></div>

--000000000000a1b2c0060dc--
--000000000000a1b2c2060dd
Content-Type: image/png; name="logo.png"
Content-Disposition: inline; filename="logo.png"
Content-Transfer-Encoding: base64
Content-ID: <ii_lq0abc>
X-Attachment-Id: ii_lq0abc

{b64(PNG)}
--000000000000a1b2c2060dd--
--000000000000a1b2c3060df
Content-Type: application/pdf; name="re=?UTF-8?Q?=C3=A7u?=.pdf"
Content-Disposition: attachment; filename="=?UTF-8?B?cmXDp3UucGRm?="
Content-Transfer-Encoding: base64
Content-ID: <f_lq0def>
X-Attachment-Id: f_lq0def

{b64(b"%PDF-1.4 receipt")}
--000000000000a1b2c3060df--
"""
)

OUTLOOK = crlf(
    f"""\
From: "Müller, Jörg" <joerg.mueller@example.com>
To: "Bob (Sales)" <bob@example.net>; "Ann" <ann@example.net>
Subject: =?iso-8859-1?Q?Angebot_f=FCr_?=
 =?iso-8859-1?Q?M=FCnchen?=
Thread-Topic: =?iso-8859-1?Q?Angebot?=
Date: Tue, 2 Jan 2024 11:04:05 +0000
Message-ID: <AM0PR01MB1234@AM0PR01MB1234.eurprd01.prod.exchangelabs.com>
Content-Language: de-DE
X-MS-Has-Attach: yes
Content-Type: multipart/related;
\tboundary="_006_AM0PR01MB1234_";
\ttype="multipart/alternative"
MIME-Version: 1.0

--_006_AM0PR01MB1234_
Content-Type: multipart/alternative;
\tboundary="_000_AM0PR01MB1234_"

--_000_AM0PR01MB1234_
Content-Type: text/plain; charset="iso-8859-1"
Content-Transfer-Encoding: quoted-printable

Gr=FC=DFe, 5=80

--_000_AM0PR01MB1234_
Content-Type: text/html; charset="iso-8859-1"
Content-Transfer-Encoding: quoted-printable

<html><body>Gr=FC=DFe<img src=3D"cid:image001.png@01DA3D00.12345678"></body></html>

--_000_AM0PR01MB1234_--

--_006_AM0PR01MB1234_
Content-Type: image/png; name="image001.png"
Content-Description: image001.png
Content-Disposition: inline; filename="image001.png"; size=70;
\tcreation-date="Tue, 02 Jan 2024 11:04:05 GMT"
Content-ID: <image001.png@01DA3D00.12345678>
Content-Transfer-Encoding: base64

{b64(PNG)}
--_006_AM0PR01MB1234_--
"""
)

APPLE = crlf(
    f"""\
From: Ann <ann@icloud.com>
Content-Type: multipart/alternative; boundary="Apple-Mail=_1"
Mime-Version: 1.0 (Mac OS X Mail 16.0 \\(3774.300.61.1.2\\))
Subject: Photos
Message-Id: <B7@icloud.com>
Date: Tue, 2 Jan 2024 12:04:05 +0100
To: bob@example.net

--Apple-Mail=_1
Content-Transfer-Encoding: 7bit
Content-Type: text/plain;
\tcharset=us-ascii

Above

Below

--Apple-Mail=_1
Content-Type: multipart/mixed; boundary="Apple-Mail=_2"

--Apple-Mail=_2
Content-Transfer-Encoding: 7bit
Content-Type: text/html;
\tcharset=us-ascii

<html><body>Above</body></html>
--Apple-Mail=_2
Content-Disposition: inline;
\tfilename*=utf-8''Urlaub%20am%20M%C3%BCritzsee.png
Content-Type: image/png;
\tx-unix-mode=0644;
\tname="=?utf-8?Q?Urlaub_am_M=C3=BCritzsee=2Epng?="
Content-Transfer-Encoding: base64

{b64(PNG)}
--Apple-Mail=_2
Content-Transfer-Encoding: 7bit
Content-Type: text/html;
\tcharset=us-ascii

<html><body>Below</body></html>
--Apple-Mail=_2--

--Apple-Mail=_1--
"""
)

PHONE = (
    crlf("From: =?ISO-2022-JP?B?GyRCJUYlOSVIGyhC?= <taro..yamada@docomo.ne.jp>\n")
    + b"To: bob@example.net\r\nSubject: "
    + "確認コード".encode("iso2022_jp")
    + crlf("\nDate: Tue, 2 Jan 2024 20:04:05 +0900\nMIME-Version: 1.0\n")
    + crlf('Content-Type: text/plain; charset="iso-2022-jp"\nContent-Transfer-Encoding: 7bit\n\n')
    + "コードは".encode("iso2022_jp")
    + b"\x1b$B-!\x1b(B123456\r\n"
)

BOUNCE = crlf(
    """\
Return-Path: <>
From: MAILER-DAEMON@mx.example.org (Mail Delivery System)
To: bob@example.net
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="4F1.1/mx.example.org"
MIME-Version: 1.0
Date: Tue,  2 Jan 2024 12:04:05 +0100 (CET)
Message-Id: <20240102@mx.example.org>

This is a MIME-encapsulated message.

--4F1.1/mx.example.org
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

<nobody@example.org>: user unknown

--4F1.1/mx.example.org
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Final-Recipient: rfc822; nobody@example.org
Action: failed
Status: 5.1.1

--4F1.1/mx.example.org
Content-Description: Undelivered Message
Content-Type: message/rfc822

From: bob@example.net
To: nobody@example.org
Subject: Are you there?

Hello nobody.

--4F1.1/mx.example.org--
"""
)

INVITATION = crlf(
    """\
From: Ann <ann@example.org>
To: Bob <bob@example.net>
Subject: Invitation: Lunch
Date: Tue, 2 Jan 2024 12:04:05 +0100
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary=cal

--cal
Content-Type: text/plain; charset=UTF-8

You are invited.

--cal
Content-Type: text/html; charset=UTF-8

<p>You are invited.</p>

--cal
Content-Type: text/calendar; charset=UTF-8; method=REQUEST

BEGIN:VCALENDAR
END:VCALENDAR

--cal--
"""
)

DIGEST = crlf(
    f"""\
From: list-request@example.org
To: list@example.org
Subject: list Digest, Vol 1, Issue 1
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=outer

--outer
Content-Type: text/plain; charset=us-ascii

Today's Topics:
   1. First
   2. Second

--outer
Content-Type: multipart/digest; boundary=inner

--inner

From: a@example.org
Subject: First

One.

--inner
Content-Type: message/rfc822

From: b@example.org
Subject: Second: a/b

Two.

--inner--

--outer
Content-Type: text/plain; charset=us-ascii

--{SPACE}
list mailing list

--outer--
"""
)

NEWSLETTER = crlf(
    f"""\
From: Shop <news@shop.example>
To: bob@example.net
Subject: Sale!
List-Unsubscribe: <https://shop.example/u>
MIME-Version: 1.0
Content-Type: multipart/related; boundary=rel; type="text/html"

--rel
Content-Type: text/html; charset=utf-8

<img src="cid:logo%40shop"><td background='cid:back@shop'>Sale</td>
--rel
Content-Type: image/png
Content-ID: <logo@shop>
Content-Transfer-Encoding: base64

{b64(PNG)}
--rel
Content-Type: image/gif
Content-ID: <back@shop>

GIF89a
--rel
Content-Type: image/gif
Content-ID: <unused@shop>

GIF89a
--rel--
"""
)

FORWARDED = crlf(
    f"""\
From: Ann <ann@example.org>
To: bob@example.net
Subject: Fwd: see below
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=fw

--fw
Content-Type: text/plain; charset=utf-8; format=flowed; delsp=yes

A long para{SPACE}
graph.
> quo{SPACE}
> ted
 >not quoted

--fw
Content-Type: message/rfc822
Content-Disposition: attachment

From: Carl <carl@example.org>
Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=in

--in
Content-Type: text/plain

The inner text.
--in
Content-Type: application/pdf
Content-Disposition: attachment; filename=inner.pdf

%PDF
--in--

--fw--
"""
)

SIGNED = crlf(
    f"""\
From: Ann <ann@example.org>
To: bob@example.net
Subject: signed
MIME-Version: 1.0
Content-Type: multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256;
 boundary="sig"

This is an S/MIME signed message

--sig
Content-Type: text/plain; charset=utf-8

Signed text.

--sig
Content-Type: application/pkcs7-signature; name="smime.p7s"
Content-Transfer-Encoding: base64
Content-Disposition: attachment; filename="smime.p7s"

{b64(b"0123")}
--sig--
"""
)

ENCRYPTED = crlf(
    """\
From: Ann <ann@example.org>
To: bob@example.net
Subject: ...
MIME-Version: 1.0
Content-Type: multipart/encrypted; protocol="application/pgp-encrypted"; boundary="pgp"

--pgp
Content-Type: application/pgp-encrypted
Content-Description: PGP/MIME version identification

Version: 1

--pgp
Content-Type: application/octet-stream; name="encrypted.asc"
Content-Disposition: inline; filename="encrypted.asc"

-----BEGIN PGP MESSAGE-----
abc
-----END PGP MESSAGE-----

--pgp--
"""
)

OPAQUE = crlf(
    f"""\
From: Ann <ann@example.org>
Subject: opaque
MIME-Version: 1.0
Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"
Content-Transfer-Encoding: base64

{b64(b"secret")}
"""
)

WINMAIL = crlf(
    f"""\
From: Ann <ann@example.org>
Subject: rich text
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=w

--w
Content-Type: text/plain; charset="windows-1251"
Content-Transfer-Encoding: base64

{b64("Привет".encode("cp1251"))}
--w
Content-Type: application/ms-tnef; name="winmail.dat"
Content-Transfer-Encoding: base64

{b64(bytes.fromhex("789f3e22"))}
--w--
"""
)

FOOTER = crlf(
    """\
From: Ann <ann@example.org>
Subject: [list] hello
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=m

--m
Content-Type: multipart/alternative; boundary=a

--a
Content-Type: text/plain

Hello.
--a
Content-Type: text/html

<p>Hello.</p>
--a--
--m
Content-Type: text/plain
Content-Disposition: inline

Unsubscribe <here> & now
--m--
"""
)

ALL = {
    name: value
    for name, value in list(globals().items())
    if name.isupper() and isinstance(value, bytes) and name != "PNG"
}
