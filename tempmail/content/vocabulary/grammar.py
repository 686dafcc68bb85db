"""Small words: those around a word like *code* that say nothing about which code it is, and those
that point to a link without saying what it is for."""
# ruff: noqa: RUF001

from __future__ import annotations

from tempmail.content.vocabulary import Table

BEFORE: Table = {
    "en": """the, your, this, that, a, my, our, new, following, same, another, is, with, and, or,
        one, here's, below, above, private, unique, personal, numeric, special, short, latest,
        current, digit, character, own, requested, fresh, got, the same""",
    "de": """der, dein, ihr, den, dem, diesen, dieser, diesem, ein, einen, neuer, neuen, neue,
        folgenden, folgende, folgender, mit, per, als, deinen, ihren, ihrem, deinem, persönlicher,
        persönlichen, stelligen, stellige, stelliger, geheimer, via, unser, bitte, gültiger,
        nachstehenden, untenstehenden, euer, deiner, ihrer, deines, ihres""",
    "fr": "le, votre, ton, ce, un, nouveau, avec, au, son, suivant, mon, voici, du, ta, notre",
    "es": "el, tu, su, este, un, nuevo, con, del, al, siguiente, ese, mi, es, nuestro",
    "pt": "o, seu, teu, esse, um, novo, com, do, ao, seguinte, é, nosso, sua, tua",
    "it": "il, tuo, suo, questo, nuovo, col, seguente, vostro, ecco, è, tua, sua",
    "nl": """de, je, uw, jouw, deze, een, nieuwe, met, volgende, cijferige, onderstaande,
        persoonlijke""",
    "pl": "twój, ten, nowy, to, tego, tym, poniższy, cyfrowy, swój, z, oto, następujący, państwa",
    "ru, uk, bg, sr, mk": """ваш, твой, этот, новый, с, по, следующий, вашим, этим, этого, твій,
        цей, новий, наступний, вашият, твоят, този, новия, вашия, овај, твој, нов, значный, значний,
        и, это, вот, этому, указанный, данный, свой, полученный, мой, вашиот, указания, следния,
        следећи, є, цього, цим""",
    "hr, sl": """vaš, tvoj, ovaj, novi, sljedeći, slijedeći, taj, vašim, ovim, vaša, ta, naslednji,
        vašo, to, s, ova, ovu, tvoja, vašu, tvoju""",
    "cs, sk": """váš, tvůj, tento, nový, následující, nasledujúci, nasledovný, svůj, svoj, místný,
        miestny, tvoj, vaším""",
    "hu": "a, az, ez, ezt, új, következő, jegyű, alábbi, te, saját, ön, íme",
    "ro": "acest, noul, un, cu, următorul, este, iată, acesta",
    "el": "ο, τον, το, σας, σου, αυτόν, νέος, ψήφιο, παρακάτω, έναν, τον παρακάτω",
    "tr, az": "bu, yeni, haneli, aşağıdaki, şu, size, sizin, tek",
    "sv, da, no": """din, denna, den, en, ny, nya, med, ditt, er, følgende, følgjande, följande,
        siffriga, cifrede, sifrede, sifret, nye, denne, jeres, disse, dette, her""",
    "fi, et, lv, lt, is": """tämä, uusi, seuraava, oma, alla, oheinen, numeroinen, teie, sinu, see,
        jūsu, šis, tavs, jūsų, tavo, šį, naujas, þinn""",
    "ca, sq, sw, fil": "teu, vostre, aquest, nou, juaj, yt, wako, ang",
    "ar, fa, ur, he, hi, bn, ko": """هو, هذا, إليك, این, با, یہ, اپنا, آپ کا, את, הנה, आपका, यह, इस,
        अपना, ये, निम्न, नया, अंकों, अंकीय, आपके, अपने, আপনার, এই, নতুন, 아래, 이, 다음, 자리, 새,
        귀하의, 고객님의, 회원님의, 전송된, 받은, 위, 해당, 새로운""",
}
"""Words before it."""

BEHIND: Table = {
    "en": """is, was, has, have, will, expires, to, for, from, below, above, here, we, you, that,
        which, and, or, with, on, in, at, into, as, by, now, again, when, before, if, sent, shown,
        within, only, this, valid, just, works, can, should, must, back, instead, once, soon, so,
        it, please, asked, requested, replaces, itself, number""",
    "de": """ist, lautet, für, zum, zur, um, unten, auf, bei, an, den, wir, der, mit, und, aus,
        dieser, ab, gilt, nicht, jetzt, innerhalb, ein, eingeben, zu, lautend, bitte""",
    "fr": """est, pour, ci-dessous, ci, à, que, suivant, dans, sur, et, ou, expire, sera, vous,
        valable, reçu, dessous""",
    "es, pt, it": """es, é, è, para, que, siguiente, en, y, abajo, caduca, vence, expira, se, por,
        abaixo, a seguir, em, no, na, e, a, ao, seguinte, per, che, qui, seguente, nel, nella, o,
        scade, sotto, riportato, ricevuto, di seguito""",
    "nl": "voor, om, hieronder, op, die, dat, en, verloopt, is",
    "pl, cs, sk": """to, do, jest, w, na, poniżej, i, który, wygasa, dla, pro, je, v, k, níže,
        nižšie, platí, pre, ze, který, wynosi""",
    "ru, uk, bg, sr, mk": """для, в, из, на, и, действителен, который, ниже, это, чтобы, истекает,
        у, з, і, щоб, дійсний, є, за, е, у наставку, важи""",
    "hr, sl, ro, hu": """za, je, u, i, vrijedi, važi, ispod, koji, velja, este, pentru, în, pe, și,
        expiră, a, az, megadása, beírása""",
    "el": "είναι, για, σας, σου, στο, στη, στην, και, ισχύει, που",
    "tr": "ile, şu, kullanarak",
    "northern": """är, ar, er, för, for, til, till, att, at, på, i, nedan, nedenfor, og, och, som,
        utløper, går, inn, ind, herunder, under, on, alla, tähän, voimassa, gælder, gjelder""",
    "vi, id": """anda, kamu, ini, adalah, ialah, untuk, di, berikut, yang, dan, berlaku, là, của,
        này, để, sau, dưới, sebagai""",
    "other": """هو, هي, الخاص, في, هذا, التالي, أدناه, صالح, إلى, شما, را, برای, زیر, است, این, ہے,
        کو, הוא, שלך, שלכם, הזה, הבא, להלן, בתוקף, זה, है, को, का, से, के, दर्ज, হল, হলো, huu,
        huo, wako, hau, hori""",
}
"""Words behind it."""

DEMONSTRATIVES: Table = {
    "western": """this, following, diesen, dieser, diesem, dieses, diese, folgenden, folgende,
        folgender, nachstehenden, ce, este, ese, esse, questo, deze, onderstaande, ten, tego, tym,
        poniższy, ovaj, ovu, ovim, tento, tuto, tímto, týmto, ezt a, ez a, az alábbi, acest,
        următorul, αυτόν τον, αυτός ο, τον παρακάτω, bu, şu, aşağıdaki, ushbu, quyidagi, denna,
        den här, den her, det här, denne, dette, følgende, följande, tämä, tämän, tätä, tällä,
        seuraava, seuraavan, alla oleva, alla olevan, seda, selle, järgmine, järgmist, šo, šis,
        šādu, šį, šis, šiuo, þennan, þessi, þessum, këtë, ky, aquest, hierdie""",
    "eastern": """этот, этого, этим, этому, цей, цього, цим, този, овај, овој, осы, мына, бұл, энэ,
        ეს, ამ, այս, հետևյալ, यह, इस, ये, निम्न, یہ, اس, این, এই, هذا""",
}
"""Before it, they say that it is at hand, whatever stands behind: *this code on the page*."""

JOINED_BEFORE: Table = {
    "zh, ja": """的, 此, 该, 該, 这, 這, 个, 個, 入, 用, 列, 下, 为, 為, 写, 寫, の, この, 以下,
        下記, 次""",
    "ko": "의",
    "ar, he": "ال, وال, بال, لل, ב, ה, ל, ש, וה, מה, כש, בה, שה, לה",
}
"""The end of what is written together with it before it."""

JOINED_BEHIND: Table = {
    "zh, ja": """是, 为, 為, 在, 于, 於, 将, 將, 有, 以, 请, 請, 进, 進, 来, 完, 登, は, を, が, で,
        に, の, も, と""",
    "ko": "는, 은, 를, 을, 가, 이, 로, 입",
    "th": "ของ, คือ, นี้, ต่อ, ด้าน, สำหรับ, ที่, เพื่อ, ใน, จะ, ยืน, otp, ตัว, หลัก",
    "ar, he": "ك, كم, ה, ו",
}
"""The beginning of what is written together with it behind it."""

INDEFINITES: Table = {
    "all": """a, an, any, another, no, un, une, una, uma, um, ein, eine, einen, eines, einem, kein,
        keinen, een, geen, en, et, ett, ei, egy, bir, jakikolwiek""",
}
"""Before the name of something that is not at hand: *asking for a login code*."""

POINTERS: Table = {
    "western": """here, click, click here, link, button, below, follow, this page, tap, continue,
        go to, following address, following page, get started, open, hier, klick, klicken,
        folgenden, knopf, schaltfläche, weiter, ici, cliquez, lien, bouton, suivant, continuer,
        aquí, aqui, clic, clique, haz clic, enlace, botón, siguiente, continuar, link:, acesse,
        botão, seguinte, qui, clicca, pulsante, continua, accedi, klik, knop, hieronder, verder,
        tutaj, kliknij, przycisk, dalej, här, klicka, länk, knappen, fortsätt, her, tryk, linket,
        lenke, knapp, fortsæt, fortsett, tästä, napsauta, linkki*, painike*, jatka, zde, klikněte,
        kliknite, odkaz, tlačítko, sem, tu, ide, kattintson, kattints, aici, apăsați, link-ul, εδώ,
        κλικ, σύνδεσμο, visit, paste, copy, address below, link below, browser, besuche, besuchen,
        einfügen, kopieren, kopiere, aufrufen, rufe, visitez, rendez-vous, collez, copiez, coller,
        appuyez, touchez, ce lien, visita, visite, pega, pulsa, pulse, presiona, haga clic, enlaces,
        copia, cole, toque, copie, premi, tocca, incolla, visitate, apri, bezoek, plak, kopieer,
        open deze, odwiedź, wklej, skopiuj, otwórz, naciśnij, besök, klistra, kopiera, tryck, öppna,
        besøg, indsæt, klik her, åbn, besøk, lim inn, trykk, åpne, avaa, kopioi, liitä, paina,
        alla oleva*, klikněte zde, zkopírujte, otevřete, skopírujte, otvorte, stlačte, kattintva,
        nyissa, másolja, linkre, vizitați, copiați, accesați, apasă, apasă aici, dă clic, πατήστε,
        πατώντας, κάντε κλικ, αντιγράψτε, παρακάτω, ovdje, ovde, poveznic*, gumb, otvorite,
        kopirajte, tukaj, povezav*""",
    "slavic": """здесь, тут, сюда, нажмите, перейдите, ссылка, ссылке, ссылку, кнопку, продолжить,
        тук, натисніть, посилання, посиланням, продовжити, натиснете, посетите, откройте,
        скопируйте, вставьте, по ссылке, відвідайте, відкрийте, скопіюйте, отворете, бутона,
        връзката, линка, копирайте, кликните, линк, дугме, отворите, овде""",
    "eastern": """这里, 此处, 這裡, 此處, 点击, 點擊, 點選, 链接, 連結, 按钮, 按鈕, 继续, 繼續,
        こちら, ここ, クリック, リンク, url, ボタン, 続ける, 여기, 클릭, 링크, 버튼, 눌러, 계속,
        هنا, اضغط, انقر, الرابط, رابط, الزر, اینجا, کلیک, پیوند, لینک, دکمه, כאן, לחץ, לחצו, קישור,
        כפתור, המשך, buraya, tıkla*, bağlantı*, düğme*, devam, đây, nhấn, bấm, liên kết, nhấp,
        tiếp tục, ที่นี่, คลิก, ลิงก์, ปุ่ม, यहाँ, यहां, क्लिक, लिंक, बटन, di sini, sini, tautan,
        tombol, lanjutkan, pautan, 访问, 複製, 复制, 粘贴, 打开, 訪問, 開啟, 貼上, アクセス, コピー,
        貼り付け, 開いて, 下記, 방문, 접속, 복사, 붙여, 아래, زيارة, انسخ, الصق, باز کنید, کپی,
        כנסו, היכנסו, העתיקו, הקישו, ziyaret, kopyala*, yapıştır*, aşağıdaki, truy cập, sao chép,
        mở, bên dưới, เปิด, คัดลอก, กด, ด้านล่าง, खोलें, कॉपी, नीचे, दबाएँ, kunjungi, salin, tempel,
        buka, klik, tekan, ক্লিক, লিংক, বোতাম""",
}
"""Words of a link, or right before it, that leave it to the words around to say more."""

AFFIRMATIONS: Table = {
    "all": """yes, ja, oui, sí, sim, sì, tak, да, так, ano, áno, igen, da, ναι, kyllä, joo, jah,
        evet, có, ya, 是的, 是, はい, 네, 예, نعم, بله, כן, ใช่, हाँ, हां, হ্যাঁ""",
}
"""Begins the words of a link that answers a question, which the subject may have asked."""
