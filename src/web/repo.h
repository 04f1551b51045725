/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the repository handlers share: reading a repository Secret. Texts live in the arena. */
#include "web/call.h"

str web_secret_text(struct arena *arena, const struct val *secret, str key); /* decoded data */
/* A password in a URL would be shown on every page. */
bool web_url_has_password(str url);
bool web_is_repo(const struct val *secret);
str web_repo_name(const struct val *secret); /* without repo- */
/* {name, url, provider, credential?, inline?, alias, …}; never a value of a credential. */
struct val *web_repo_row(struct web_call *call, const struct val *secret);
