/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Names: what may be called how (RFC 1123 labels and subdomains, label keys and values). */
#include "base/str.h"

extern const char names_label_rule[];     /* the API server's sentence about RFC 1123 labels */
extern const char names_subdomain_rule[]; /* … about RFC 1123 subdomains */

bool names_is_label(str s);        /* ≤ 63 of a-z 0-9 -, a letter or digit at both ends */
bool names_is_subdomain(str s);    /* ≤ 253, labels joined by points */
bool names_is_label_key(str s);    /* [subdomain/]name */
bool names_is_label_value(str s);  /* empty, or ≤ 63 of A-Z a-z 0-9 - _ . */
bool names_is_config_key(str s);   /* keys of ConfigMaps and Secrets */
bool names_is_path_segment(str s); /* no "/", no "%", not "." or ".." */
