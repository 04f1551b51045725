/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "git/failure.h"
#include "git/url.h"

#include <stdio.h>
#include <stdlib.h>

static str key_of(struct arena *arena, const char *text)
{
    struct git_url url;
    struct err err;

    assert_ok(git_url_parse(arena, str_from(text), &url, &err), err);
    return url.key;
}

TEST(every_spelling_of_a_repository_has_one_key)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);

    assert_str(key_of(arena, "https://GitHub.com/Org/Repo.git/"), S("https://github.com/Org/Repo"));
    assert_str(key_of(arena, "HTTPS://github.com:443//Org/Repo"), S("https://github.com/Org/Repo"));
    assert_str(key_of(arena, "https://me@github.com/Org/Repo"), S("https://github.com/Org/Repo"));
    assert_str(key_of(arena, "git@github.com:Org/Repo.git"), S("ssh://git@github.com/Org/Repo"));
    assert_str(key_of(arena, "ssh://git@github.com:22/Org/Repo"),
               S("ssh://git@github.com/Org/Repo"));
    assert_str(key_of(arena, "http://[::1]:8080/x"), S("http://[::1]:8080/x"));
    assert_str(key_of(arena, "/srv/git/x.git"), S("file:///srv/git/x"));
    assert_str(key_of(arena, "file:///srv/git/x.git"), S("file:///srv/git/x"));
    assert_str(key_of(arena, "git://h/.git"), S("git://h/.git"));
    assert_str(key_of(arena, "/srv/x/.git/"), S("file:///srv/x"));
}

TEST(what_could_run_a_program_or_hide_a_secret_is_refused)
{
    static const char *const bad[] = {
            "",
            "ext::sh -c touch% /tmp/x",
            "ext::sh",
            "fd::17",
            "-uhttps://x/y",
            "ssh://-oProxyCommand=x/y",
            "-oProxyCommand=x:y",
            "git@-oProxyCommand=x:y",
            "git@host:-x",
            "ssh://git@host:port/x",
            "https://u:p@host/x",
            "https://host",
            "https:///x",
            "ftp://host/x",
            "https://host/a\nb",
            "https://host/a b",
            "https://host/../x",
            "file://host/x",
            "relative/path",
            "https://host:0/x",
            "https://host:65536/x",
            "https://a;b/x",
    };
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);

    for (size_t i = 0; i < COUNT(bad); i++) {
        struct git_url url;
        struct err err;
        if (git_url_parse(arena, str_from(bad[i]), &url, &err))
            fail_msg("'%s' was taken", bad[i]);
        assert_int_equal(err.code, ERR_INVALID);
    }
}

TEST(a_file_url_must_lie_beneath_an_allowed_root)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    char dir[] = "/tmp/taut-unit-XXXXXX";
    char command[256];
    struct git_url url;
    struct err err;

    assert_non_null(mkdtemp(dir));
    snprintf(command, sizeof(command), "mkdir -p %s/roots/a %s/rootsx && ln -s /etc %s/roots/out",
             dir, dir, dir);
    assert_int_equal(system(command), 0);
    str roots = arena_printf(arena, "/nowhere:%s/roots", dir);

    assert_ok(git_url_parse(arena, arena_printf(arena, "%s/roots/a", dir), &url, &err), err);
    assert_ok(git_url_check_file(&url, roots.at, &err), err);
    assert_fails(git_url_check_file(&url, NULL, &err), err, ERR_FORBIDDEN);
    assert_ok(git_url_parse(arena, arena_printf(arena, "%s/rootsx", dir), &url, &err), err);
    assert_fails(git_url_check_file(&url, roots.at, &err), err, ERR_FORBIDDEN);
    assert_ok(git_url_parse(arena, arena_printf(arena, "%s/roots/out", dir), &url, &err), err);
    assert_fails(git_url_check_file(&url, roots.at, &err), err, ERR_FORBIDDEN);
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    assert_int_equal(system(command), 0);
}

TEST(metadata_and_link_local_addresses_are_known)
{
    assert_true(git_address_is_local_link(S("169.254.169.254")));
    assert_true(git_address_is_local_link(S("169.254.0.1")));
    assert_true(git_address_is_local_link(S("::ffff:169.254.169.254")));
    assert_true(git_address_is_local_link(S("fe80::1%eth0")));
    assert_true(git_address_is_local_link(S("fd00:ec2::254")));
    assert_true(git_address_is_local_link(S("100.100.100.200")));
    assert_false(git_address_is_local_link(S("10.0.0.1")));
    assert_false(git_address_is_local_link(S("127.0.0.1")));
    assert_false(git_address_is_local_link(S("2001:db8::1")));
}

static str sentence(struct arena *arena, const char *url_text, bool has_secret, const char *words)
{
    struct git_url url;
    struct err err;

    assert_ok(git_url_parse(arena, str_from(url_text), &url, &err), err);
    struct failure failure = {.url = &url,
                              .words = str_from(words),
                              .ref = S("main"),
                              .has_key = has_secret,
                              .has_auth = has_secret};
    assert_false(failure_set(arena, &failure, &err));
    return arena_str(arena, err_message(&err));
}

TEST(the_words_of_git_become_one_sentence)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    const char *prompt = "fatal: could not read Username for 'https://h': terminal prompts "
                         "disabled\n";

    assert_str(sentence(arena, "https://h/x", false, prompt),
               S("authentication failed: h asks for a credential, so the repository is private or "
                 "does not exist"));
    assert_str(sentence(arena, "https://h/x", true, prompt),
               S("authentication failed: h refused the credential"));
    assert_str(sentence(arena, "git@h:x", true,
                        "debug1: Server host key: ssh-ed25519 SHA256:abc\nNo ED25519 host key is "
                        "known for h and you have requested strict checking.\nHost key "
                        "verification failed.\nfatal: Could not read from remote repository.\n"),
               S("the host key of h is not known: ssh-ed25519 SHA256:abc; compare it with what the "
                 "operator of the host publishes, and accept it"));
    assert_str(sentence(arena, "https://h/x", false, "fatal: couldn't find remote ref main\n"),
               S("'main' does not exist"));
    assert_str(sentence(arena, "https://h/x", false, "remote: something\nfatal: odd\x1b[31m end\n"),
               S("git: odd [31m end"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(every_spelling_of_a_repository_has_one_key),
            cmocka_unit_test(what_could_run_a_program_or_hide_a_secret_is_refused),
            cmocka_unit_test(a_file_url_must_lie_beneath_an_allowed_root),
            cmocka_unit_test(metadata_and_link_local_addresses_are_known),
            cmocka_unit_test(the_words_of_git_become_one_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
