"""How a mail speaks of a code: how long it is good, who may see it, what is done with it.

The tables of this module are looked for by themselves, so that they hide no name.
"""
# ruff: noqa: RUF001

from __future__ import annotations

from tempmail.content.vocabulary import Table

LIFETIMES: Table = {
    "en": """expires in, expire in, expires after, will expire, expires at, valid for, valid until,
        valid only, good for, good until, only be used once, works once, used once, used only once,
        single use, lasts, runs out, expires, works for, works until""",
    "de": "gültig, läuft ab, verfällt, ablaufen, abläuft, einmal verwendet",
    "fr": "valable, expire, expirera, valide pendant, expirent",
    "es": "caduca, válido, vence, expira, vigente, vigencia, caducará, expirará",
    "pt": "expira, válido, válida, vence, expirará, validade",
    "it": "scade, scadrà, valido, valida per, validità",
    "nl": "geldig, verloopt, vervalt",
    "pl": "ważny, wygaśnie, wygasa, ważność, traci ważność, straci ważność",
    "ru, uk, bg, sr": """действует, действителен, истекает, срок действия, дійсний, діє, діятиме,
        закінчиться, валиден, изтича, важи, истиче""",
    "hr, sl": "vrijedi, ističe, važi, istječe, vrijediti, velja, poteče, veljavna",
    "zh": "有效, 失效, 过期, 過期, 到期",
    "ja": "有効期限, 有効, 無効",
    "ko": "유효, 만료",
    "ar, fa, ur, he": """صالح, صالحة, ينتهي, تنتهي صلاحيته, تنتهي, صلاحية, معتبر, منقضی, اعتبار,
        میعاد, قابل استعمال, בתוקף, תקף, יפוג, תוקף""",
    "tr": "geçerli*, süresi, geçersiz*, süre içinde",
    "vi": "hết hạn, hiệu lực",
    "th": "หมดอายุ, มีอายุ, ใช้ได้",
    "hi, bn": "मान्य, वैध, समाप्त, मेयाद, মেয়াদ, বৈধ, कालबाह्य",
    "id": "berlaku, kedaluwarsa, kadaluarsa, sah selama, tamat tempoh",
    "sv, da, no, fi": """giltig, gäller, går ut, gyldig, udløber, utløper, gælder, gjelder,
        voimassa, vanhenee, vanhentuu, kelpaa""",
    "cs, hu, ro, el": """platný, platí, vyprší, platnost, platnosť, platný, érvényes, lejár,
        valabil, expiră, valabilitate, ισχύει, λήγει, ισχύ""",
}
"""How long something is good. A ticket and a coupon say so as well, but not in `MINUTES`."""

MINUTES: Table = {
    "western": """minute, minutes, mins, minuten, minutos, minuto, minuti, minuut, minut, minuty,
        minuter, minutter, minuutti, minuuttia, minuutin, minuta, minutu, minúty, perc*, λεπτά,
        λεπτό, λεπτών, minüt, mínútur, minutit, dakika*, phút, menit, minit""",
    "eastern": """минут*, хвилин*, 分钟, 分鐘, 分間, 分以内, 분, دقيقة, دقائق, دقیقه, منٹ, דקות,
        דקה, นาที, मिनट, মিনিট, நிமிட*""",
}

CAUTIONS: Table = {
    "en": """do not share, don't share, never share, do not forward, don't forward, not share it,
        share this code, keep this code, don't give this, never ask, do not give,
        anyone who has this code, didn't request, did not request, ignore this, can be ignored,
        safely ignore, you can ignore, please ignore, keep it to yourself, keep it secret,
        sign-in attempt, two-step, 2-step, two-factor, verify it's you, didn't ask for,
        did not ask for, tell nobody, tell no one, nobody else""",
    "de": """nicht angefordert, teilen sie, niemals weiter, nicht weiter, ignorieren, ignoriere,
        geben sie ihn niemandem, gib ihn niemandem, niemandem, verraten sie, verrate,
        nicht an dritte""",
    "fr": """ne le partagez, ne partagez, ne partage, ne communiquez, ne le communiquez, ignorer,
        ignorez, n'avez pas demandé, n'as pas demandé, ne transmettez, ne donnez, ne le donnez,
        à personne, confidentiel""",
    "es": """no lo compartas, no compartas, no comparta, no lo comparta, ignora, ignore,
        no has solicitado, no solicitaste, no ha solicitado, con nadie, a nadie, no lo pediste""",
    "pt": """não compartilhe, não partilhe, não o partilhe, não o compartilhe, ignore, ignora,
        não solicitou, não pediu, com ninguém, a ninguém""",
    "it": """non condivid*, ignora, non hai richiesto, non comunicarlo, non comunicare, con nessuno,
        a nessuno, non lo hai richiesto""",
    "nl": """deel deze, deel dit, deel hem, negeren, negeer, niet aangevraagd, met niemand,
        aan niemand""",
    "pl": "nie udostępniaj, zignoruj, nie podawaj, nikomu, to nie ty",
    "ru, uk, bg, sr": """никому, не сообщайте, проигнорируйте, не запрашивали, не передавайте,
        никого, нікому, не повідомляйте, проігноруйте, не передавайте, не споделяйте, с никого,
        игнорирайте, не делите, занемарите""",
    "hr, sl": """nikome, ne dijelite, ne delite, zanemarite, ignorirajte, niste zatražili, nikomur,
        ne delite, prezrite""",
    "zh": "请勿, 請勿, 切勿, 不要告诉, 泄露, 洩露, 外泄, 忽略, 非本人, 告知他人, 透露",
    "ja": "心当たり, 教えない, 共有しない, 破棄, 第三者, 他人に",
    "ko": "공유하지, 알려주지, 요청하지 않, 본인이, 타인에게, 무시",
    "ar, fa, ur, he": """لا تشارك, لا تشاركه, تجاهل, در اختیار, نادیده, اشتراک, شیئر نہ, אל תשתף,
        אין לשתף, התעלם, להתעלם, אין להעביר, לאף אחד""",
    "tr": "paylaşma*, dikkate alma*, kimseyle, kimseye, gözardı, yok say*",
    "vi, th, hi, bn": """không chia sẻ, đừng chia sẻ, bỏ qua, ห้ามเปิดเผย, อย่าเปิดเผย, ห้ามบอก,
        อย่าแชร์, अनदेखा, साझा न, शेयर न, শেয়ার করবেন না, উপেক্ষা""",
    "id": """jangan bagikan, jangan berikan, abaikan, jangan beritahu, jangan kongsi,
        kepada siapa pun, rahasiakan""",
    "northern": """dela inte, dela den inte, dela aldrig, ignorera, del ikke, del den ikke,
        del aldri, ignorer, älä jaa, älä kerro, nesdílejte, nesdělujte, nezdieľajte, nikomu,
        ignorujte, ne ossza meg, ne add meg, senkinek, nu distribui, nu îl distribui, nimănui,
        ignoră, ignorați, μην μοιραστείτε, μην το μοιραστείτε, αγνοήστε, αγνόησε""",
}
"""Who may see it, and what to do if one did not ask for it: seldom said of anything but a code."""

ENTRIES: Table = {
    "en": """use, enter, entering, type, type in, input, answer, key in, copy, paste, fill in,
        provide, reply with, submit, punch in, copy it, enter it, confirm with, asking for,
        asks for""",
    "de": """gib, gibst, geben sie, eingeben, eingibst, ein, tippe, tippen sie, verwende,
        verwenden sie, nutze, nutzen sie, einzugeben, trage, tragen sie, benutze, eintippen,
        kopiere, bestätigen sie mit, bestätige mit, bestätigst du mit""",
    "fr": """saisissez, saisis, saisir, entrez, entrer, tapez, tape, utilisez, utilise, indiquez,
        renseignez, recopiez, introduisez, composez, copiez, confirmez avec, confirme avec""",
    "es": """introduce, introduzca, introduzcas, introducir, ingresa, ingrese, ingresar, ingresá,
        escribe, escriba, digita, digite, usa, use, usá, utiliza, utilice, teclea, teclee, pon,
        copia, anota, cópialo, cópielo, confirma con, confirme con""",
    "pt": """digite, digita, digitar, insira, insere, inserir, introduza, introduz, informe, use,
        usa, utilize, escreve, escreva, coloque, copie, confirme com, confirma com""",
    "it": """inserisci, inserisca, inserire, inserite, digita, digitare, digiti, usa, utilizza,
        immetti, scrivi, copia, riporta, conferma con, confermi con""",
    "nl": """voer, voert, voer in, vul, vul in, gebruik, typ, toets, invoeren, invullen, invoert,
        tik, bevestig met""",
    "pl": """wpisz, wprowadź, użyj, podaj, wpisać, wprowadzić, przepisz, skopiuj, potwierdź kodem,
        potwierdź za pomocą""",
    "ru, uk, bg, sr": """введите, введи, ввести, укажите, используйте, наберите, впишите,
        скопируйте, введіть, введи, вкажіть, використайте, наберіть, въведете, въведи, използвайте,
        унесите, унеси, внесете""",
    "hr, sl": """unesite, unesi, upišite, upiši, koristite, iskoristite, ukucajte, vnesite, vnesi,
        vpišite, vpiši, uporabite""",
    "cs, sk": """zadejte, zadej, zadajte, zadaj, použijte, použite, opište, opiš, napište, vyplňte,
        vložte""",
    "hu": """adja meg, add meg, írja be, írd be, használja, használd, gépelje be, gépeld be,
        beírás*, megadás*""",
    "ro": """introdu, introduceți, introduci, folosește, folosiți, tastează, tastați, scrie,
        scrieți, utilizați""",
    "el": """εισαγάγετε, εισάγετε, πληκτρολογήστε, χρησιμοποιήστε, γράψτε, βάλτε, καταχωρίστε,
        εισαγωγή""",
    "sv, da, no": """ange, anger, skriv, skriv in, mata in, fyll i, använd, knappa in, indtast,
        skriv inn, tast, bruk, brug, oppgi, angiv, tast inn, bekräfta med, bekræft med,
        bekreft med""",
    "fi, et, is": """syötä, kirjoita, käytä, näppäile, sisesta, sisestage, kasuta, kasutage,
        trükkige, sláðu inn, notaðu, skrifaðu, sláið inn, notið""",
    "lv, lt": """ievadiet, ievadi, izmantojiet, izmanto, ierakstiet, įveskite, įvesk, naudokite,
        įrašykite, suveskite, įvesti""",
    "zh": "输入, 輸入, 填写, 填寫, 使用, 键入, 鍵入, 填入, 回复",
    "ja": "入力, ご入力, 記入, ご利用, 使用, 打ち込",
    "ko": "입력, 기입, 사용, 적어",
    "ur": "درج کریں, درج کیجیے, استعمال کریں, داخل کریں, لکھیں, ٹائپ کریں",
    "ar, fa, he": """أدخل, ادخل, إدخال, ادخال, استخدم, اكتب, وارد کنید, وارد کن, وارد نمایید,
        استفاده کنید, הזן, הזינו, הזיני, להזין, הקלד, הקלידו, להקליד,
        השתמש""",
    "tr, az": """girin*, giriniz, gir, yazın, yaz, kullanın, kullan, tuşlayın, girerek, girmeniz,
        daxil edin, daxil et, istifadə edin, yığın""",
    "ka, hy, kk, uz, mn": """შეიყვანეთ, შეიყვანე, გამოიყენეთ, აკრიფეთ, ჩაწერეთ, մուտքագրեք,
        մուտքագրիր, օգտագործեք, գրեք, енгізіңіз, енгіз, теріңіз, пайдаланыңыз, қолданыңыз, жазыңыз,
        kiriting, foydalaning, оруулна уу, оруулаарай""",
    "ca, sq, fil, sw, eu, af": """introduïu, introdueix, escriviu, utilitzeu, feu servir, vendosni,
        vendos, shkruani, shkruaj, përdorni, përdor, futni, ilagay, ipasok, gamitin, i-type,
        i-enter, ingiza, weka, tumia, andika, sartu, idatzi, erabili, voer, sleutel""",
    "vi, id": """nhập, điền, sử dụng, gõ, dùng, masukkan, masukan, gunakan, ketik, ketikkan, isi,
        isikan, taip""",
    "th": "กรอก, ป้อน, ใส่, ใช้, พิมพ์",
    "hi, bn, ta": """दर्ज करें, दर्ज कीजिए, डालें, डालिए, प्रविष्ट करें, भरें, टाइप करें,
        इस्तेमाल करें, उपयोग करें, লিখুন, দিন, প্রবেশ করান, ব্যবহার করুন, உள்ளிடவும், உள்ளிடுக,
        பயன்படுத்தவும்""",
}
"""What a reader is to do with a code."""

DISCOUNTS: Table = {
    "en": """% off, off your, discount, discounts, at checkout, at the checkout, coupon, voucher,
        promo, gift card, giveaway, sale ends, free shipping, deal, deals, at the till""",
    "western": """rabatt, rabatte, gutschein, réduction, remise, soldes, code promo, descuento,
        dto., cupón, desconto, cupom, sconto, sconti, korting, rabat, rabatu, zniżka, zniżki,
        zniżkę, promocja, scont*, alennus, alennuksen, alennusta, sleva, slevu, zľava, zľavu,
        kedvezmény*, reducere, reduceri, έκπτωση, indirim*, giảm giá, diskon, popust, popusta,
        bon de réduction, offre exclusive, an der kasse, en caisse, en caja, no caixa, alla cassa,
        aan de kassa, przy kasie, kasada, di kasir, i kassan, ved kassen, kassalla, u pokladny,
        pénztárnál, la casă, στο ταμείο, na blagajni""",
    "eastern": """скидк*, скидок, промокод*, знижк*, отстъпка, попуст, 优惠, 折扣, 满减, 優惠, 割引,
        クーポン, セール, 할인, 쿠폰, خصم, تخفیف, הנחה, ส่วนลด, छूट, কুপন, ছাড়, на кассе, на касі,
        на каса, 结账, 收银, 結帳, レジ, 계산대, عند الدفع, בקופה, ที่แคชเชียร์""",
}
"""What a mail says that gives something away: its codes are for a shop."""

FORMERS: Table = {
    "western": """earlier, previous, old, former, prior, superseded, alter, alte, alten, altes,
        bisherig*, vorherig*, vorig*, früher*, ancien, anciens, précédent, précédents, anterior,
        anteriores, antiguo, antigo, precedente, vecchio, oude, eerdere, poprzedni*, stary, starego,
        gamla, tidigare, förra, tidligere, gamle, forrige, edellinen, vanha, aiempi, předchozí,
        starý, predchádzajúci, korábbi, előző, régi, vechi, vechiul, anterioară, prethodni, stari,
        önceki, eski, προηγούμενος, παλιός, cũ, trước, lama, sebelumnya""",
    "eastern": """предыдущ*, стар*, прежн*, попередн*, стари*, предишн*, претходн*, 之前, 旧的, 旧,
        上一个, 舊, 以前, 前回, 古い, 이전, 기존, السابق, القديم, قبلی, قدیمی, הקודם, הישן,
        ก่อนหน้า, เก่า, पिछला, पुराना, পুরানো, আগের""",
}
"""Said of a code that another has replaced."""

GONE: Table = {
    "western": """no longer, has expired, expired, is now invalid, is invalid, has been replaced,
        will not work, won't work, does not work, doesn't work, stopped working, nicht mehr,
        ungültig, ist abgelaufen, n'est plus, ne fonctionne plus, a expiré, ya no, ha caducado,
        dejó de, já não, não é mais, não funciona, expirou, non è più, non funziona più, è scaduto,
        niet meer, is verlopen, już nie, wygasł, stracił, stracił ważność, inte längre, har gått ut,
        ikke lenger, ikke længere, udløbet, utløpt, ei enää, ei ole enää, vanhentunut, už není,
        už neplatí, už nie je, már nem, lejárt, nu mai, a expirat, više ne, artık, geçersiz*,
        δεν ισχύει, έληξε, không còn, đã hết hạn, tidak lagi, tidak berlaku, sudah tidak""",
    "eastern": """больше не, уже не, не действует, недействителен, истёк, більше не, вже не,
        недійсний, вече не, више не, 已失效, 失效了, 已作废, 已無效, 已失效, 不再, 無効に, 使えなく,
        使用できません, 더 이상, لم يعد, منتهي, دیگر, אינו, לא בתוקף, כבר לא, ใช้ไม่ได้,
        หมดอายุแล้ว, अब नहीं, अमान्य""",
}
"""Said right behind a code that does not work any more."""

PURPOSES: Table = {
    "western": """complete, finish, continue, access, unlock, reset, authenticate, get in,
        let yourself in, signing in, logging in, anmeldung, registrierung, fortzufahren,
        weiterzumachen, abzuschließen, einzuloggen, anzumelden, zu bestätigen, zu verifizieren,
        connexion, connecter, inscription, continuer, terminer, poursuivre, acceder, accede, entrar,
        continuar, terminar, finalizar, concluir, aceder, accedere, accesso, continuare, completare,
        proseguire, inloggen, in te loggen, doorgaan, afronden, te bevestigen, zalogować,
        kontynuować, dokończyć, logowanie, prijavu, prijavili, nastavili, potvrdili, přihlášení,
        dokončení, pokračovat, prihlásenie, pokračovať, belépés*, bejelentkezés*, folytat*, conecta,
        continua, finaliza, autentifica, συνδεθείτε, συνέχεια, συνεχίσετε, logga in, fortsätta,
        slutföra, fortsætte, fortsette, logge, jatkaa, kirjautu*, devam, giriş, oturum, tiếp tục,
        hoàn tất, lanjut, melanjutkan, menyelesaikan, finalis*, finaliz*, complet*, girmek,
        giriş yap*, abschließ*, registrier*, registr*, inscri*, iscri*, créer, crear, criar, creare,
        aanmaken, utworzyć, založení, vytvořit, regisztrál*, înregistr*, εγγραφή, rekisteröi*,
        registrer*, oprette, opprette, skapa, kaydol*, đăng ký, đăng nhập, mendaftar, pendaftaran,
        belép*, freigabe, freizugeben, freigeben, approve, approval, autoriser, autorizar,
        autorizzare, zatwierdzić, godkänna, godkende, godkjenne, in the field, in the box,
        into the field, into the box, in das feld, ins feld, dans le champ, en el campo, no campo,
        nel campo, in het veld, w pole, w polu, i fältet, i feltet, kenttään, do pole, do políčka,
        mezőbe, în câmpul, στο πεδίο, u polje, v polje, alanına, vào ô, di kolom, pada kolom,
        on the screen, auf dem bildschirm""",
    "eastern": """войти, входа, продолжить, завершить, увійти, входу, продовжити, завершити,
        влезете, вход, продължите, пријаву, наставили, 登录, 登入, 继续, 繼續, 完成, 続け, 続行,
        完了, ログイン, 로그인, 계속, 완료, تسجيل الدخول, للدخول, المتابعة, لإكمال, ورود, ادامه,
        תיכנס, להיכנס, להמשיך, להתחבר, เข้าสู่ระบบ, ดำเนินการต่อ, लॉग इन, साइन इन, जारी रख, पूरा कर,
        লগ ইন, регистрац*, зарегистр*, реєстрац*, регистр*, 注册, 註冊, 验证, 驗證, 登録, 認証,
        가입, 등록, 인증, التسجيل, إنشاء, ثبت نام, הרשמה, ลงทะเบียน, สมัคร, पंजीकरण, নিবন্ধন,
        в поле, у поле, 栏, 欄, 框, 칸에, في الحقل, בשדה, ในช่อง""",
}
"""What a code is entered for; besides, all that `tempmail.content.vocabulary.asking` lists."""

UNITS: Table = {
    "western": """digit*, character*, figure*, stellig*, ziffer*, zeichen, zahlen, chiffre*,
        caractère*, dígit*, caracter*, cifr*, caratter*, cijfer*, teken*, cyfr*, znak*, siffr*,
        siffer*, sifre*, tecken, tegn, numero*, merkki*, číslic*, číseln*, míst*, miestn*, znamk*,
        števil*, jegy*, számjegy*, karakter*, cifre, ψηφι*, haneli, basamak*, rakam*, chữ số, ký tự,
        chữ, angka, digit angka, numer*, número*, xifr*""",
    "eastern": """цифр*, значн*, символ*, знак*, 位, 桁, ケタ, 文字, 字, 자리, 글자, أرقام, ارقام,
        خانات, رقم*, حروف, حرف, ספרות, ספרתי*, תווים, หลัก, ตัว, अंक*, अक्षर*, সংখ্যা*, ডিজিট,
        இலக்க*""",
}
"""What a code is counted in."""

LENGTHS: Table = {
    "4": """four, vier, quatre, cuatro, quatro, quattro, cztery, cztero, четыре, четырёх, чотири,
        чотирьох, fyra, fyr, fire, neljä, neli, čtyři, čtyř, štyri, štvor, četiri, četvero, négy,
        patru, τέσσερα, τετρα, dört, bốn, สี่, चार, empat, 四, 네, أربعة, چهار, ארבע, চার""",
    "5": """five, fünf, cinq, cinco, cinque, vijf, pięć, pięcio, пять, пяти, п'ять, п'яти, fem,
        viisi, viisi, pět, päť, pet, öt, cinci, πέντε, πεντα, beş, năm, ห้า, पाँच, पांच, lima, 五,
        다섯, خمسة, پنج, חמש, পাঁচ""",
    "6": """six, sechs, seis, sei, zes, sześć, sześcio, шесть, шести, шість, sex, seks, kuusi, šest,
        šesti, šesto, hat, șase, έξι, εξα, altı, sáu, หก, छह, छः, छे, enam, 六, 여섯, ستة, شش, שש,
        ছয়""",
    "7": """seven, sieben, sept, siete, sete, sette, zeven, siedem, семь, семи, сім, sju, syv,
        seitsemän, sedm, sedem, hét, șapte, επτά, επτα, yedi, bảy, เจ็ด, सात, tujuh, 七, 일곱, سبعة,
        هفت, שבע, সাত""",
    "8": """eight, acht, huit, ocho, oito, otto, osiem, восемь, восьми, вісім, åtta, otte, åtte,
        kahdeksan, osm, osem, osam, nyolc, opt, οκτώ, οκτα, sekiz, tám, แปด, आठ, delapan, 八, 여덟,
        ثمانية, هشت, שמונה, আট""",
}
"""Lengths of a code, as words."""

LASTS: Table = {
    "all": """last, final, ending, letzt*, derni*, últim*, ultim*, laatste, ostatni*, последн*,
        останн*, sista, siste, sidste, viimei*, posledn*, utols*, zadnj*, τελευταία, son, cuối,
        ท้าย, अंतिम, आखिरी, terakhir, 末, 末尾, 后, 後, 下, 尾, 끝, 뒤, 마지막, آخر, אחרונות, phone,
        card""",
}
"""Before a count that is of the end of another number."""

SUBJECTS: Table = {
    "western": """in the subject, subject line, the subject of this, im betreff,
        in der betreffzeile, dans l'objet, en el asunto, no assunto, nell'oggetto, in het onderwerp,
        in de onderwerpregel, w temacie, i ämnesraden, i ämnet, i emnet, i emnefeltet, i emnelinjen,
        otsikossa, aihekentässä, v předmětu, v predmete, a tárgyban, tárgysor*, în subiect,
        în subiectul, στο θέμα, konu satır*, konusunda, u naslovu, v zadevi, trong tiêu đề,
        di subjek, pada subjek, di judul""",
    "eastern": """в теме письма, в теме этого, у темі листа, в темата, у наслову, 邮件主题,
        郵件主旨, 主题中, 主旨中, 件名, 메일 제목, 제목에, في العنوان, عنوان الرسالة, در موضوع,
        בשורת הנושא, בנושא ההודעה, หัวข้ออีเมล, ในหัวข้อ, विषय पंक्ति""",
}
"""Where a code stands that the body does not repeat."""
