"""Certificates made on the spot by a private CA, good ones and each kind of bad one.

No key lies in the tree and none outlives the server that asked for it. A client is given `ca.pem` and trusts
nothing else, so a test for "expired" fails for that reason alone.
"""

import os
import subprocess

# name -> what is wrong with it
KINDS = {
    "good": "for localhost, 127.0.0.1 and ::1, signed by the CA",
    "expired": "ran out yesterday",
    "other-host": "signed by the CA, for another host",
    "self-signed": "signed by itself, unknown to the CA",
}

CONFIG = """
[ca]
default_ca = here
[here]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
email_in_dn = no
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
[req]
distinguished_name = dn
[dn]
[ca_ext]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
"""


def openssl(folder, *arguments):
    done = subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError("openssl %s: %s" % (arguments[0], done.stderr.strip()))


def make(folder, kind="good"):
    """Writes ca.pem, server.pem and server.key into `folder`; returns their three paths."""
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "openssl.cnf"), "w") as out:
        out.write(CONFIG)
    open(os.path.join(folder, "index.txt"), "w").close()
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl(folder, "req", "-config", "openssl.cnf", "-x509", "-extensions", "ca_ext", *new_key, "-days", "30",
            "-subj", "/CN=Private test CA", "-keyout", "ca.key", "-out", "ca.pem")
    host = "mail.example.org" if kind == "other-host" else "localhost"
    names = "DNS:%s" % host if kind == "other-host" else "DNS:localhost,IP:127.0.0.1,IP:::1"
    request = ["req", "-config", "openssl.cnf", *new_key, "-subj", "/CN=" + host,
               "-addext", "subjectAltName=" + names, "-keyout", "server.key"]
    if kind == "self-signed":
        openssl(folder, *request, "-x509", "-days", "30", "-out", "server.pem")
    else:
        openssl(folder, *request, "-out", "server.csr")
        dates = ["-startdate", "20200101000000Z", "-enddate", "20200201000000Z"] if kind == "expired" else ["-days", "30"]
        openssl(folder, "ca", "-config", "openssl.cnf", "-batch", "-notext", "-cert", "ca.pem", "-keyfile", "ca.key",
                "-in", "server.csr", "-out", "server.pem", *dates)
    return tuple(os.path.join(folder, name) for name in ("ca.pem", "server.pem", "server.key"))
