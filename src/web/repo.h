/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the repository handlers share: reading a repository Secret. Texts live in the arena. */
#include "web/call.h"

str web_secret_text(struct arena *arena, const struct val *secret, str key); /* decoded data */
/* A password in a URL would be shown on every page. */
bool web_url_has_password(str url);
bool web_is_repo(const struct val *secret);
str web_repo_name(const struct val *secret); /* without repo- */
/* The repository of the same normalised URL, or NULL. */
const struct val *web_find_repo_url(struct web_call *call, const struct val *secrets, str url);
bool web_is_known_credential(const struct val *secrets, str name);
/* Does the application read this normalised URL? */
bool web_uses_url(struct web_call *call, const struct val *application, str url);

/* First in the handler's state. `acceptHostKey` of the body, if it is there, is stored for `url` of
 * the body; then the handler goes on. */
struct web_host_accept {
    web_handler_fn *then;
    str line;
};
void web_accept_host_key(struct web_call *call, web_handler_fn *then);

/* {name, url, provider, credential?, inline?, alias, …}; never a value of a credential. */
struct val *web_repo_row(struct web_call *call, const struct val *secret);
