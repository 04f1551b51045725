/* SPDX-License-Identifier: Apache-2.0 */
#include "io/pki.h"
#include "base/fd.h"
#include "base/mem.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAYS_CA 3650
#define DAYS_SERVER 365
#define DAYS_RENEW 30
#define DAY_SECONDS (24L * 3600L)
#define PKI_NAMES_MAX 32

typedef X509 cert;
typedef EVP_PKEY key;

static void cert_auto(cert **at)
{
    X509_free(*at);
}
static void key_auto(key **at)
{
    EVP_PKEY_free(*at);
}
static void bio_auto(BIO **at)
{
    BIO_free(*at);
}
#define auto_cert __attribute__((cleanup(cert_auto)))
#define auto_key __attribute__((cleanup(key_auto)))
#define auto_bio __attribute__((cleanup(bio_auto)))

static bool fail(struct err *err, const char *what)
{
    char text[160];

    ERR_error_string_n(ERR_get_error(), text, sizeof(text));
    ERR_clear_error();
    return err_set(err, ERR_INTERNAL, "%s: %s", what, text);
}

/* ---- files ---- */

static bool write_file(const char *dir, const char *name, str bytes, mode_t mode, struct err *err)
{
    char path[4096];
    char aside[4096];

    if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path) ||
        snprintf(aside, sizeof(aside), "%s/.%s.new", dir, name) >= (int)sizeof(aside))
        return err_set(err, ERR_INVALID, "the folder's path is too long: %s", dir);
    unlink(aside);
    auto_fd int fd = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0)
        return err_set(err, ERR_IO, "cannot write '%s': %s", aside, strerror(errno));
    while (bytes.len > 0) {
        ssize_t done = write(fd, bytes.at, bytes.len);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return err_set(err, ERR_IO, "cannot write '%s': %s", aside, strerror(errno));
        bytes = str_from_index(bytes, (size_t)done);
    }
    if (fsync(fd) < 0 || rename(aside, path) < 0)
        return err_set(err, ERR_IO, "cannot write '%s': %s", path, strerror(errno));
    return true;
}

static BIO *open_file(const char *dir, const char *name)
{
    char path[4096];

    if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
        return NULL;
    return BIO_new_file(path, "re");
}

static cert *read_cert(const char *dir, const char *name)
{
    auto_bio BIO *bio = open_file(dir, name);
    return bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, NULL, NULL);
}

static key *read_key(const char *dir, const char *name)
{
    auto_bio BIO *bio = open_file(dir, name);
    return bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
}

static str bio_text(BIO *bio)
{
    char *at = NULL;
    long len = BIO_get_mem_data(bio, &at);
    return str_of(at, len > 0 ? (size_t)len : 0);
}

static bool write_cert(const char *dir, const char *name, cert *c, struct err *err)
{
    auto_bio BIO *bio = BIO_new(BIO_s_mem());

    if (bio == NULL || PEM_write_bio_X509(bio, c) != 1)
        return fail(err, "cannot encode a certificate");
    return write_file(dir, name, bio_text(bio), 0644, err);
}

static bool write_key(const char *dir, const char *name, key *k, struct err *err)
{
    auto_bio BIO *bio = BIO_new(BIO_s_secmem());

    if (bio == NULL || PEM_write_bio_PKCS8PrivateKey(bio, k, NULL, NULL, 0, NULL, NULL) != 1)
        return fail(err, "cannot encode a key");
    return write_file(dir, name, bio_text(bio), 0600, err);
}

/* ---- making ---- */

static bool add_extension(cert *c, cert *issuer, int nid, const char *value)
{
    X509V3_CTX context;

    X509V3_set_ctx(&context, issuer, c, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    if (extension == NULL)
        return false;
    bool ok = X509_add_ext(c, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return ok;
}

static bool set_serial(cert *c)
{
    unsigned char bytes[16];

    if (RAND_bytes(bytes, sizeof(bytes)) != 1)
        return false;
    bytes[0] &= 0x7f;
    BIGNUM *number = BN_bin2bn(bytes, sizeof(bytes), NULL);
    bool ok = number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(c)) != NULL;
    BN_free(number);
    return ok;
}

/* An unsigned certificate of one day before now (clocks differ) to `days` from now. */
static cert *begin_cert(key *k, const char *common_name, long days, cert *issuer)
{
    auto_cert cert *c = X509_new();
    X509_NAME *name = c == NULL ? NULL : X509_get_subject_name(c);

    if (name == NULL || X509_set_version(c, 2) != 1 || !set_serial(c) ||
        X509_gmtime_adj(X509_getm_notBefore(c), -DAY_SECONDS) == NULL ||
        X509_gmtime_adj(X509_getm_notAfter(c), days * DAY_SECONDS) == NULL ||
        X509_set_pubkey(c, k) != 1 ||
        X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const unsigned char *)"Taut", -1, -1,
                                   0) != 1 ||
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)common_name,
                                   -1, -1, 0) != 1 ||
        X509_set_issuer_name(c, issuer == NULL ? name : X509_get_subject_name(issuer)) != 1)
        return NULL;
    return TAKE(c);
}

static bool make_ca(const char *dir, cert **ret_ca, key **ret_key, struct err *err)
{
    auto_key key *k = EVP_EC_gen("P-256");
    auto_cert cert *c = k == NULL ? NULL : begin_cert(k, "Taut CA", DAYS_CA, NULL);

    if (c == NULL || !add_extension(c, c, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
        !add_extension(c, c, NID_key_usage, "critical,keyCertSign,cRLSign") ||
        !add_extension(c, c, NID_subject_key_identifier, "hash") ||
        X509_sign(c, k, EVP_sha256()) == 0)
        return fail(err, "cannot make a certificate authority");
    if (!write_key(dir, "ca.key", k, err) || !write_cert(dir, "ca.crt", c, err))
        return false;
    *ret_ca = TAKE(c);
    *ret_key = TAKE(k);
    return true;
}

static bool is_ip(const char *name)
{
    unsigned char bytes[16];
    return inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
}

/* "DNS:localhost,IP:127.0.0.1,…" */
static bool alt_names(char *to, size_t size, const char *const *names, size_t count)
{
    size_t len = 0;

    for (size_t i = 0; i < count; i++) {
        int more = snprintf(to + len, size - len, "%s%s:%s", i > 0 ? "," : "",
                            is_ip(names[i]) ? "IP" : "DNS", names[i]);
        if (more < 0 || (size_t)more >= size - len)
            return false;
        len += (size_t)more;
    }
    return true;
}

struct authority {
    cert *cert;
    key *key;
};

static bool make_server(const char *dir, struct authority ca, const char *const *names,
                        size_t count, struct err *err)
{
    auto_key key *k = EVP_EC_gen("P-256");
    auto_cert cert *c = k == NULL ? NULL : begin_cert(k, "Taut server", DAYS_SERVER, ca.cert);
    char alt[PKI_NAMES_MAX * 260];

    if (!alt_names(alt, sizeof(alt), names, count))
        return err_set(err, ERR_INVALID, "the server's names are too long for a certificate");
    if (c == NULL || !add_extension(c, ca.cert, NID_basic_constraints, "critical,CA:FALSE") ||
        !add_extension(c, ca.cert, NID_key_usage, "critical,digitalSignature") ||
        !add_extension(c, ca.cert, NID_ext_key_usage, "serverAuth") ||
        !add_extension(c, ca.cert, NID_subject_key_identifier, "hash") ||
        !add_extension(c, ca.cert, NID_authority_key_identifier, "keyid") ||
        !add_extension(c, ca.cert, NID_subject_alt_name, alt) ||
        X509_sign(c, ca.key, EVP_sha256()) == 0)
        return fail(err, "cannot make the server's certificate");
    return write_key(dir, "server.key", k, err) && write_cert(dir, "server.crt", c, err);
}

/* ---- loading ---- */

static bool is_expiring(cert *c, long days)
{
    time_t then = time(NULL) + days * DAY_SECONDS;
    return X509_cmp_time(X509_get0_notAfter(c), &then) < 0;
}

static bool server_fits(const char *dir, cert *ca, const char *const *names, size_t count)
{
    auto_cert cert *c = read_cert(dir, "server.crt");
    auto_key key *k = read_key(dir, "server.key");
    auto_key key *ca_public = X509_get_pubkey(ca);

    if (c == NULL || k == NULL || X509_check_private_key(c, k) != 1 ||
        X509_verify(c, ca_public) != 1 || is_expiring(c, DAYS_RENEW))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (is_ip(names[i]) ? X509_check_ip_asc(c, names[i], 0) != 1
                            : X509_check_host(c, names[i], 0, 0, NULL) != 1)
            return false;
    }
    return true;
}

static bool read_text(const char *dir, const char *name, char *to, size_t size, struct err *err)
{
    auto_bio BIO *bio = open_file(dir, name);
    int len = bio == NULL ? -1 : BIO_read(bio, to, (int)size - 1);

    if (len <= 0)
        return fail(err, name);
    to[len] = '\0';
    return true;
}

static bool load_texts(struct pki *pki, const char *dir, struct err *err)
{
    char ca[8192];
    char cert_text[8192];
    char key_text[8192];

    if (!read_text(dir, "ca.crt", ca, sizeof(ca), err) ||
        !read_text(dir, "server.crt", cert_text, sizeof(cert_text), err) ||
        !read_text(dir, "server.key", key_text, sizeof(key_text), err))
        return false;
    size_t cert_len = strlen(cert_text);
    size_t size = cert_len + strlen(ca) + 1;
    pki->cert_pem = mem_new(size, 1);
    snprintf(pki->cert_pem, size, "%s%s", cert_text, ca);
    pki->ca_pem = mem_dup_z(str_from(ca));
    pki->key_pem = secret_new(str_from(key_text));
    secret_wipe(key_text, sizeof(key_text));
    return true;
}

static size_t collect_names(const char **to, char **owned, const str *names, size_t count)
{
    size_t n = 0;

    to[n++] = "localhost";
    to[n++] = "127.0.0.1";
    to[n++] = "::1";
    for (size_t i = 0; i < count && n < PKI_NAMES_MAX; i++) {
        /* A comma or a line would be another entry of the extension. */
        if (names[i].len == 0 || names[i].len > 253 || str_find_char(names[i], ',') != SIZE_MAX)
            continue;
        owned[i] = mem_dup_z(names[i]);
        to[n++] = owned[i];
    }
    return n;
}

static bool load_or_make(struct pki *pki, const char *dir, const char *const *names, size_t count,
                         struct err *err)
{
    auto_cert cert *ca = read_cert(dir, "ca.crt");
    auto_key key *ca_key = read_key(dir, "ca.key");

    ERR_clear_error();
    if (ca == NULL || ca_key == NULL || X509_check_private_key(ca, ca_key) != 1 ||
        is_expiring(ca, 0)) {
        X509_free(TAKE(ca));
        EVP_PKEY_free(TAKE(ca_key));
        if (!make_ca(dir, &ca, &ca_key, err))
            return false;
        pki->made_ca = true;
    }
    if (!server_fits(dir, ca, names, count)) {
        ERR_clear_error();
        if (!make_server(dir, (struct authority){ca, ca_key}, names, count, err))
            return false;
    }
    return load_texts(pki, dir, err);
}

bool pki_load(struct pki *pki, const char *dir, const str *names, size_t name_count,
              struct err *err)
{
    const char *all[PKI_NAMES_MAX];
    char *owned[PKI_NAMES_MAX] = {NULL};
    size_t count = collect_names(all, owned, names, MIN(name_count, PKI_NAMES_MAX - 3));
    struct pki loaded = {0};

    if (mkdir(dir, 0700) < 0 && errno != EEXIST)
        return err_set(err, ERR_IO, "cannot make the folder '%s': %s", dir, strerror(errno));
    bool ok = load_or_make(&loaded, dir, all, count, err);
    for (size_t i = 0; i < COUNT(owned); i++)
        mem_free(owned[i]);
    if (!ok) {
        pki_done(&loaded);
        return err_wrap(err, "TLS certificates in '%s'", dir);
    }
    *pki = loaded;
    return true;
}

void pki_done(struct pki *pki)
{
    mem_free(pki->ca_pem);
    mem_free(pki->cert_pem);
    secret_free(pki->key_pem);
    *pki = (struct pki){0};
}
