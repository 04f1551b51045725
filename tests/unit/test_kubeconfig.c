/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "kube/kubeconfig.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TWO_CONTEXTS                                                                               \
    "apiVersion: v1\n"                                                                             \
    "kind: Config\n"                                                                               \
    "current-context: first\n"                                                                     \
    "clusters:\n"                                                                                  \
    "- name: one\n"                                                                                \
    "  cluster: {server: 'https://one:6443', certificate-authority-data: Q0E=}\n"                  \
    "- name: two\n"                                                                                \
    "  cluster: {server: 'https://two:6443', insecure-skip-tls-verify: true,\n"                    \
    "            tls-server-name: kubernetes, proxy-url: 'http://proxy:3128'}\n"                   \
    "contexts:\n"                                                                                  \
    "- name: first\n"                                                                              \
    "  context: {cluster: one, user: token, namespace: demo}\n"                                    \
    "- name: second\n"                                                                             \
    "  context: {cluster: two, user: certificate}\n"                                               \
    "- name: third\n"                                                                              \
    "  context: {cluster: two, user: plug-in}\n"                                                   \
    "- name: fourth\n"                                                                             \
    "  context: {cluster: nowhere, user: token}\n"                                                 \
    "- name: fifth\n"                                                                              \
    "  context: {cluster: one, user: files}\n"                                                     \
    "users:\n"                                                                                     \
    "- name: token\n"                                                                              \
    "  user: {token: sesame}\n"                                                                    \
    "- name: certificate\n"                                                                        \
    "  user: {client-certificate-data: Q0VSVA==, client-key-data: S0VZ}\n"                         \
    "- name: plug-in\n"                                                                            \
    "  user: {exec: {command: aws-iam-authenticator}}\n"                                           \
    "- name: files\n"                                                                              \
    "  user: {client-certificate: cert.pem, client-key: key.pem, tokenFile: token}\n"

static bool parse(const char *context, const char *dir, struct kubeconfig **ret_config,
                  struct err *err)
{
    return kubeconfig_parse(S(TWO_CONTEXTS), S("file"), str_from(dir), str_from(context),
                            ret_config, err);
}

TEST(the_current_context_is_taken)
{
    auto_kubeconfig struct kubeconfig *config = NULL;
    struct err err;

    assert_ok(parse("", "", &config, &err), err);
    assert_str(config->name, S("first"));
    assert_str(config->server, S("https://one:6443"));
    assert_str(config->ca_pem, S("CA"));
    assert_str(config->namespace_, S("demo"));
    assert_str(secret_reveal(config->bearer), S("sesame"));
    assert_false(config->insecure);
}

TEST(another_context_can_be_chosen)
{
    auto_kubeconfig struct kubeconfig *config = NULL;
    struct err err;

    assert_ok(parse("second", "", &config, &err), err);
    assert_str(config->server, S("https://two:6443"));
    assert_str(config->cert_pem, S("CERT"));
    assert_str(secret_reveal(config->key_pem), S("KEY"));
    assert_str(config->server_name, S("kubernetes"));
    assert_str(config->proxy_url, S("http://proxy:3128"));
    assert_true(config->insecure);
    assert_null(config->bearer);
}

TEST(credential_plug_ins_are_refused_by_name)
{
    struct kubeconfig *config = NULL;
    struct err err;

    assert_fails(parse("third", "", &config, &err), err, ERR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "aws-iam-authenticator"));
}

TEST(what_is_missing_is_named)
{
    struct kubeconfig *config = NULL;
    struct err err;

    assert_fails(parse("sixth", "", &config, &err), err, ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, "\"sixth\""));
    assert_fails(parse("fourth", "", &config, &err), err, ERR_INVALID);
    assert_non_null(strstr(err.message, "\"nowhere\""));
    assert_fails(kubeconfig_parse(S("[]"), S("file"), S(""), S(""), &config, &err), err,
                 ERR_INVALID);
    assert_fails(kubeconfig_parse(S("a: ["), S("file"), S(""), S(""), &config, &err), err,
                 ERR_INVALID);
}

static void write_file(const char *dir, const char *name, const char *text)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

TEST(files_are_read_beside_a_file_and_never_for_text_from_the_network)
{
    char dir[] = "/tmp/taut-test-XXXXXX";
    char path[256];
    auto_kubeconfig struct kubeconfig *config = NULL;
    struct err err;

    assert_non_null(mkdtemp(dir));
    write_file(dir, "cert.pem", "CERT");
    write_file(dir, "key.pem", "KEY");
    write_file(dir, "token", "sesame\n");
    write_file(dir, "config", TWO_CONTEXTS);
    snprintf(path, sizeof(path), "%s/config", dir);
    assert_ok(kubeconfig_load(path, S("fifth"), &config, &err), err);
    assert_str(config->cert_pem, S("CERT"));
    assert_str(secret_reveal(config->bearer), S("sesame"));

    struct kubeconfig *other = NULL;
    assert_fails(parse("fifth", "", &other, &err), err, ERR_INVALID);
    assert_fails(kubeconfig_load("/no/such/file", S(""), &other, &err), err, ERR_NOT_FOUND);
    assert_fails(kubeconfig_load("/dev/zero", S(""), &other, &err), err, ERR_INVALID);

    static const char *const names[] = {"cert.pem", "key.pem", "token", "config"};
    for (size_t i = 0; i < COUNT(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        unlink(path);
    }
    rmdir(dir);
}

static struct val *secret_with(struct arena *arena, const char *config)
{
    struct val *secret = val_new(arena, val_map());
    struct val *data = val_ensure_map(arena, secret, S("stringData"));

    val_set_str(arena, val_ensure_map(arena, secret, S("metadata")), S("name"), S("cluster-prod"));
    val_set_str(arena, data, S("name"), S("prod"));
    val_set_str(arena, data, S("server"), S("https://prod:6443"));
    val_set_str(arena, data, S("namespaces"), S("a,b"));
    val_set_str(arena, data, S("config"), str_from(config));
    return secret;
}

TEST(an_argo_cd_cluster_secret_is_read)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    auto_kubeconfig struct kubeconfig *config = NULL;
    struct err err;

    assert_ok(kubeconfig_from_cluster_secret(
                      secret_with(arena, "{\"bearerToken\": \"sesame\", \"tlsClientConfig\": "
                                         "{\"insecure\": false, \"caData\": \"Q0E=\"}}"),
                      &config, &err),
              err);
    assert_str(config->name, S("prod"));
    assert_str(config->server, S("https://prod:6443"));
    assert_str(config->ca_pem, S("CA"));
    assert_str(secret_reveal(config->bearer), S("sesame"));
    assert_true(config->has_namespaces);
    assert_str(config->namespaces, S("a,b"));
}

TEST(a_cluster_secret_never_shows_its_config_in_an_error)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    struct kubeconfig *config = NULL;
    struct err err;

    assert_fails(kubeconfig_from_cluster_secret(secret_with(arena, "{\"bearerToken\": canary}"),
                                                &config, &err),
                 err, ERR_INVALID);
    assert_null(strstr(err.message, "canary"));
    assert_fails(kubeconfig_from_cluster_secret(
                         secret_with(arena, "{\"execProviderConfig\": {\"command\": \"x\"}}"),
                         &config, &err),
                 err, ERR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "execProviderConfig"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(the_current_context_is_taken),
            cmocka_unit_test(another_context_can_be_chosen),
            cmocka_unit_test(credential_plug_ins_are_refused_by_name),
            cmocka_unit_test(what_is_missing_is_named),
            cmocka_unit_test(files_are_read_beside_a_file_and_never_for_text_from_the_network),
            cmocka_unit_test(an_argo_cd_cluster_secret_is_read),
            cmocka_unit_test(a_cluster_secret_never_shows_its_config_in_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
