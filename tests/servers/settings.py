"""Dovecot's settings for a private server, in the words of 2.3 and of 2.4.

2.4 renamed nearly everything; both files say the same. Nothing of the system's own configuration is read.
"""

import getpass
import grp
import os
import pwd
import re
import subprocess

FOLDERS = (("Sent", "\\Sent"), ("Drafts", "\\Drafts"), ("Trash", "\\Trash"), ("Archive", "\\Archive"),
           ("Junk", "\\Junk"))
# Fields that the server keeps for every message, so that a warmed mailbox answers a first sync from its cache.
CACHED = ("flags date.received date.sent size.virtual size.physical mime.parts imap.body imap.bodystructure "
          "imap.envelope hdr.message-id hdr.references hdr.in-reply-to hdr.subject hdr.from")
MECHANISMS = ("plain", "login", "scram-sha-256", "oauthbearer", "xoauth2")

# What a tier takes from the list after login. The first three sync by ever poorer means, the fourth polls.
TIERS = {
    1: (),
    2: ("QRESYNC",),
    3: ("QRESYNC", "CONDSTORE", "ESEARCH", "ESORT", "SEARCHRES", "LIST-STATUS", "NOTIFY"),
    4: ("QRESYNC", "CONDSTORE", "ESEARCH", "ESORT", "SEARCHRES", "LIST-STATUS", "NOTIFY", "IDLE"),
}


def version():
    """(2, 3) or (2, 4); None where there is no Dovecot."""
    path = program("dovecot")
    if not path:
        return None
    out = subprocess.run([path, "--version"], capture_output=True, text=True).stdout
    found = re.match(r"(\d+)\.(\d+)", out)
    return (int(found[1]), int(found[2])) if found else None


def program(name):
    """Debian keeps servers in /usr/sbin, which an ordinary user's PATH may lack."""
    for folder in os.environ.get("PATH", "").split(":") + ["/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"]:
        path = os.path.join(folder, name)
        if folder and os.access(path, os.X_OK):
            return path
    return None


def mail_owner():
    """(uid, gid, user, group) that mail belongs to: never root, which Dovecot refuses to read mail as."""
    if os.getuid() != 0:
        return os.getuid(), os.getgid(), getpass.getuser(), grp.getgrgid(os.getgid()).gr_name
    for name in ("nobody", "mail", "dovecot"):
        try:
            found = pwd.getpwnam(name)
            return found.pw_uid, found.pw_gid, name, grp.getgrgid(found.pw_gid).gr_name
        except KeyError:
            continue
    raise RuntimeError("no unprivileged user found for the mail")


def inbox_namespace():
    boxes = "".join("  mailbox %s {\n    auto = subscribe\n    special_use = %s\n  }\n" % folder for folder in FOLDERS)
    return "namespace inbox {\n  inbox = yes\n  separator = /\n%s}\n" % boxes


def listeners(server):
    """The services: two ports, and limits wide enough for four accounts with many connections each."""
    text = "service imap-login {\n  service_count = 0\n  process_min_avail = 1\n  process_limit = 2\n" \
           "  client_limit = 2000\n  chroot =\n"
    for name, port, ssl in (("imap", server.port, "no"), ("imaps", server.tls_port, "yes")):
        text += "  inet_listener %s {\n    port = %d\n    ssl = %s\n  }\n" % (name, port, ssl)
    text += "}\nservice imap {\n  process_limit = 1024\n}\n"
    for name in ("auth", "anvil", "stats", "config"):
        text += "service %s {\n  client_limit = 6000\n%s}\n" % (
            name, "  chroot =\n" if name in ("anvil", "stats") else "")
    # Otherwise each wrong password makes the next login of the same address slower.
    text += "service anvil {\n  unix_listener anvil-auth-penalty {\n    mode = 0\n  }\n}\n"
    return text


def common(server):
    uid, gid, user, group = server.owner
    lines = ["base_dir = " + server.base_dir, "state_dir = %s/state" % server.folder,
             "log_path = %s/log" % server.folder, "listen = 127.0.0.1",
             "ssl = yes", "ssl_min_protocol = TLSv1.2",
             "auth_mechanisms = " + " ".join(server.mechanisms), "auth_failure_delay = 0",
             "first_valid_uid = 1", "first_valid_gid = 0", "mail_uid = %d" % uid, "mail_gid = %d" % gid,
             "mail_fsync = never", "mail_max_userip_connections = %d" % server.max_connections,
             "default_process_limit = 1024", "default_client_limit = 4000", "default_vsz_limit = 2G",
             "maildir_very_dirty_syncs = yes", "maildir_stat_dirs = no", "login_greeting = ready",
             "mail_max_keyword_length = 100", "imap_idle_notify_interval = %s" % server.still_here,
             "shutdown_clients = yes"]
    if os.getuid() != 0:
        lines += ["default_internal_user = " + user, "default_internal_group = " + group, "default_login_user = " + user]
    return "\n".join(lines) + "\n"


def for_23(server):
    ca, certificate, key = server.certificates
    place = {"maildir": "maildir:~/Maildir", "mdbox": "mdbox:~/mdbox", "sdbox": "sdbox:~/sdbox"}[server.format]
    text = "protocols = imap\n" + common(server)
    text += "ssl_cert = <%s\nssl_key = <%s\ndisable_plaintext_auth = no\n" % (certificate, key)
    text += "mail_location = %s\nmail_always_cache_fields = %s\n" % (place, CACHED)
    if server.capability:
        text += "imap_capability = %s\n" % server.capability
    text += "passdb {\n  driver = passwd-file\n  args = scheme=PLAIN username_format=%%u %s/users\n" \
            "  mechanisms = plain login scram-sha-256\n}\n" % server.folder
    if server.introspection_port:
        with open(server.folder + "/oauth2.conf", "w") as out:
            out.write("introspection_mode = get\nintrospection_url = http://127.0.0.1:%d/?token=\n"
                      "username_attribute = username\nactive_attribute = active\nactive_value = true\n"
                      % server.introspection_port)
        text += "passdb {\n  driver = oauth2\n  mechanisms = oauthbearer xoauth2\n  args = %s/oauth2.conf\n}\n" \
                % server.folder
    text += "userdb {\n  driver = passwd-file\n  args = username_format=%%u %s/users\n}\n" % server.folder
    text += "protocol imap {\n  mail_plugins = imap_zlib\n}\n" if server.compress else ""
    return text + inbox_namespace() + listeners(server)


def for_24(server):
    ca, certificate, key = server.certificates
    path = {"maildir": "~/Maildir", "mdbox": "~/mdbox", "sdbox": "~/sdbox"}[server.format]
    text = "dovecot_config_version = 2.4.0\ndovecot_storage_version = 2.4.0\nprotocols = imap\n" + common(server)
    text += "ssl_server_cert_file = %s\nssl_server_key_file = %s\nauth_allow_cleartext = yes\n" % (certificate, key)
    text += "mail_driver = %s\nmail_path = %s\nmail_always_cache_fields = %s\n" % (
        server.format, path, CACHED)
    if server.capability:
        text += "imap_capability = %s\n" % server.capability
    text += "passdb passwd-file {\n  passwd_file_path = %s/users\n  default_password_scheme = PLAIN\n}\n" % server.folder
    if server.introspection_port:
        text += "oauth2 {\n  introspection_mode = get\n  introspection_url = http://127.0.0.1:%d/?token=\n" \
                "  username_attribute = username\n  active_attribute = active\n  active_value = true\n}\n" \
                % server.introspection_port
    text += "userdb passwd-file {\n  passwd_file_path = %s/users\n}\n" % server.folder
    return text + inbox_namespace() + listeners(server)
