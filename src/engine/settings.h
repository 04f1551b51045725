/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Settings: the ConfigMaps of the control namespace that the engine reads, live: argocd-cm,
 * argocd-ssh-known-hosts-cm, argocd-tls-certs-cm.
 */
#include "kube/reflector.h"

struct settings;

#define SETTINGS_MAIN S("argocd-cm")
#define SETTINGS_KNOWN_HOSTS S("argocd-ssh-known-hosts-cm")
#define SETTINGS_CERTIFICATES S("argocd-tls-certs-cm")

typedef void settings_changed_fn(void *owner);

struct settings *settings_new(struct kube *home, str control_namespace,
                              settings_changed_fn *changed, void *owner);
void settings_free(struct settings *settings);
bool settings_is_complete(const struct settings *settings);
/* The value of a key, or empty; borrowed until the loop's next turn. */
str settings_get(const struct settings *settings, str config_map, str key);
/* timeout.reconciliation in ms; PRODUCT.md's 60 s when it is absent or no duration. */
int64_t settings_reconcile_ms(const struct settings *settings);
