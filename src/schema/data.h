/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The files of data/kube, put into the binary by tools/embed-files. */
#include <stddef.h>

extern const char data_schemas[];
extern const size_t data_schemas_size;
extern const char data_resources[];
extern const size_t data_resources_size;
extern const char data_omitted[];
extern const size_t data_omitted_size;
extern const char data_defaults[];
extern const size_t data_defaults_size;
