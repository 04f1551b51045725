/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * pki: a certificate authority of this installation and the server's certificate, under DIR.
 *
 * Files:  ca.crt, ca.key, server.crt, server.key; keys have mode 0600. Written aside and renamed,
 * so that a crash leaves the old pair or the new one. Again:  what stands there is loaded. The
 * server's certificate is made anew when it has fewer than 30 days left, is not signed by this CA,
 * or lacks one of the names; the CA only when it has expired or cannot be read as a pair, for every
 * kubeconfig trusts it. Keys:   EC P-256; the CA lives 10 years, the server's certificate one.
 */
#include "base/err.h"
#include "base/secret.h"

struct pki {
    char *ca_pem;   /* NUL-terminated */
    char *cert_pem; /* the server's, followed by the CA's */
    struct secret *key_pem;
    bool made_ca; /* no CA was there: kubeconfigs written earlier no longer fit */
};

/* `names`: DNS names and IP addresses of the server; localhost, 127.0.0.1 and ::1 are always in. */
MUST_USE bool pki_load(struct pki *pki, const char *dir, const str *names, size_t name_count,
                       struct err *err);
void pki_done(struct pki *pki);
static inline void pki_auto(struct pki *pki)
{
    pki_done(pki);
}
#define auto_pki __attribute__((cleanup(pki_auto)))
