from clashes.mail.send import send as send
