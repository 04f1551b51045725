/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * YAML scalars: which type a plain text has, and Go's spelling of numbers and times.
 *
 * The rules are those of go-yaml v2 and v3 (YAML 1.1 without sexagesimals); number forms are those
 * of Go's strconv and encoding/json, because bytes of other tools' output depend on them.
 */
#include "doc/yaml.h"

enum yaml_type { YAML_STR, YAML_NULL, YAML_BOOL, YAML_INT, YAML_FLOAT, YAML_TIMESTAMP, YAML_MERGE };

enum { YAML_NUMBER_SIZE = 40, YAML_TIME_SIZE = 48 };

enum yaml_type yaml_resolve(str text, enum yaml_dialect dialect);
bool yaml_word_is_true(str text); /* of a text that resolves to YAML_BOOL */
/* Whole numbers in any spelling (0x10, 0o7, 017, 1_000), in decimal; false when it is none. */
MUST_USE bool yaml_format_int(str text, char ret[YAML_NUMBER_SIZE]);
MUST_USE bool yaml_to_double(str text, double *ret); /* also .inf, .nan */
/* As Go's encoding/json and as strconv's 'g' with the shortest digits. Finite numbers only. */
void yaml_format_json(double number, char ret[YAML_NUMBER_SIZE]);
void yaml_format_g(double number, char ret[YAML_NUMBER_SIZE]);
/* RFC 3339 with the fraction's digits, "" when the text is no time. */
void yaml_format_time(str text, char ret[YAML_TIME_SIZE]);
bool yaml_is_base60(str text);
/* Base64 with padding; false when it is none. */
MUST_USE bool yaml_decode_base64(struct arena *arena, str text, str *ret_bytes);
