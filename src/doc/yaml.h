/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * YAML in: a stream of documents becomes trees, each node with its file, line and column.
 *
 * Two dialects, because Kubernetes tools read with two parsers:
 *   YAML_11  as sigs.k8s.io/yaml (go-yaml v2): yes/no/on/off/y/n are booleans, also as keys; keys
 *            become texts; dates stay texts. kustomization.yaml, Helm values, kubectl's manifests.
 *   YAML_12  as kyaml (go-yaml v3): only true and false are booleans. Kustomize's resources.
 *
 * Owner:  the arena owns all of it; texts are copied.
 * Bounds: LIMIT_DOC_BYTES, LIMIT_DOC_DEPTH, LIMIT_YAML_ALIAS_NODES, the arena's own limit.
 * Errors: "file:line:column: what is wrong", ERR_INVALID or ERR_LIMIT.
 */
#include "doc/val.h"

enum yaml_dialect { YAML_11, YAML_12 };

enum yaml_duplicates {
    YAML_DUPLICATES_REFUSE, /* an error that names both places */
    YAML_DUPLICATES_LAST,   /* the last one wins, silently */
    YAML_DUPLICATES_MARK,   /* the first one stays, the map is marked; yaml_settle refuses it */
};

struct yaml_options {
    enum yaml_dialect dialect;
    enum yaml_duplicates duplicates;
    bool keep_text;     /* scalars keep their spelling until yaml_settle, see below */
    bool only_first;    /* stop after the first document; what follows is not looked at */
    bool keep_empty;    /* documents without content are null values; else they are left out */
    str file;           /* for places and messages */
    uint32_t line_base; /* lines before this text in that file */
};

/* With keep_text a single-quoted text has VAL_MARK_A; a number, bool or null carries the text that
 * stood there (yaml_text), and val.spare says what val_kind cannot: */
enum yaml_spare {
    YAML_DEFAULT = 0,
    YAML_TIME = 1,     /* a text that YAML calls !!timestamp */
    YAML_UNTAGGED = 2, /* a text whose type is found out when it is written */
    YAML_BINARY = 3,   /* !!binary: base64 of bytes */
    YAML_FOLDED = 4,   /* a text that stood behind '>' */
    YAML_TYPE_MASK = 0xf,
    YAML_FLOW = 0x10,    /* a map or list in {} or [] */
    YAML_TWICE = 0x20,   /* a map that had a key twice */
    YAML_ODD_KEY = 0x40, /* a map with a key that is no text */
};

MUST_USE bool yaml_parse_all(struct arena *arena, str text, const struct yaml_options *options,
                             struct val ***ret_docs, size_t *ret_count, struct err *err);
/* The first document; a null value when there is none. */
MUST_USE bool yaml_parse(struct arena *arena, str text, const struct yaml_options *options,
                         struct val **ret_doc, struct err *err);

/* What a scalar of a keep_text tree is written as: "0x10", "True", "~"; texts as they are. */
str yaml_text(const struct val *v);
/* Turns a keep_text tree into plain JSON values: numbers in JSON form, times as RFC 3339 texts.
 * Fails on what JSON cannot hold (.inf, .nan), on doubled keys and on keys that are no texts. */
MUST_USE bool yaml_settle(struct arena *arena, struct val *v, struct err *err);
