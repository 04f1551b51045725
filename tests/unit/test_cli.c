/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"
/* the tables of the command line, and their parser */
#include "cli/flags.h"
#include "cli/output.h"

static int run_nothing(UNUSED struct cli *cli)
{
    return CLI_OK;
}

static const struct cli_flag flags[] = {
        {"prune", CLI_SWITCH, NULL, "Prune.", "false", 0, false, NULL},
        {"count", CLI_NUMBER, "N", "How many.", "3", 'c', false, NULL},
        {"timeout", CLI_DURATION, "DURATION", "How long.", "5m", 0, false, NULL},
        {"type", CLI_CHOICE, "basic|ssh", "Which.", NULL, 0, false, NULL},
        {"option", CLI_LIST, "K=V", "Some.", NULL, 0, false, "opt"},
        {"url", CLI_TEXT, "URL", "Where.", NULL, 0, true, NULL},
};
static const struct cli_command command = {.name = "do",
                                           .args = "NAME",
                                           .args_min = 1,
                                           .args_max = 1,
                                           .summary = "Do",
                                           .example = "taut x do y",
                                           .flags = flags,
                                           .flag_count = COUNT(flags),
                                           .run = run_nothing};

static bool parse(struct cli *cli, const char *const *argv, size_t argc, struct err *err)
{
    bool help = false;

    *cli = (struct cli){.command = &command};
    return cli_flags_parse(cli, (int)argc, (char **)(uintptr_t)argv, &help, err) &&
           (help || cli_flags_check(cli, err));
}
#define PARSE(cli, err, ...)                                                                       \
    parse((cli), (const char *const[]){__VA_ARGS__}, COUNT(((const char *const[]){__VA_ARGS__})),  \
          (err))

TEST(flags_come_in_every_usual_form)
{
    struct cli cli;
    struct err err = {0};

    assert_ok(PARSE(&cli, &err, "name", "--prune", "--count=7", "--opt", "a=1", "--option=b=2",
                    "--url", "u", "--type", "ssh"),
              err);
    assert_true(cli_switch(&cli, "prune"));
    assert_int_equal(cli_number(&cli, "count"), 7);
    assert_int_equal(cli_list_count(&cli, "option"), 2);
    assert_str(cli_list(&cli, "option", 1), S("b=2"));
    assert_str(cli_arg(&cli, 0), S("name"));
    assert_int_equal(cli_duration_ms(&cli, "timeout"), 300000);
    assert_false(cli_is_set(&cli, "timeout"));
    cli_flags_done(&cli);
}

TEST(a_switch_can_be_switched_off_and_the_last_one_wins)
{
    struct cli cli;
    struct err err = {0};

    assert_ok(PARSE(&cli, &err, "name", "--url=u", "--prune", "--prune=false", "-c5", "-c", "6"),
              err);
    assert_false(cli_switch(&cli, "prune"));
    assert_true(cli_is_set(&cli, "prune"));
    assert_int_equal(cli_number(&cli, "count"), 6);
    cli_flags_done(&cli);
}

TEST(what_stands_behind_two_dashes_is_an_argument)
{
    struct cli cli;
    struct err err = {0};

    assert_ok(PARSE(&cli, &err, "--url=u", "--", "--prune"), err);
    assert_str(cli_arg(&cli, 0), S("--prune"));
    assert_false(cli_switch(&cli, "prune"));
    cli_flags_done(&cli);
}

TEST(wrong_command_lines_are_refused_with_a_sentence)
{
    static const struct {
        const char *argv[4];
        size_t argc;
        const char *says;
    } cases[] = {
            {{"name", "--url=u", "--prun"}, 3, "did you mean --prune"},
            {{"name", "--url=u", "--count=-1"}, 3, "whole number"},
            {{"name", "--url=u", "--timeout=soon"}, 3, "duration"},
            {{"name", "--url=u", "--type=none"}, 3, "one of basic|ssh"},
            {{"name", "--url=u", "--prune=maybe"}, 3, "true or false"},
            {{"name", "--url"}, 2, "needs a value"},
            {{"name"}, 1, "--url URL is required"},
            {{"--url=u"}, 1, "missing: NAME"},
            {{"a", "b", "--url=u"}, 3, "unexpected argument 'b'"},
            {{"a", "--url=u", "-x"}, 3, "no flag"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct cli cli;
        struct err err = {0};
        assert_false(parse(&cli, cases[i].argv, cases[i].argc, &err));
        if (strstr(err.message, cases[i].says) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", err.message, cases[i].says);
        cli_flags_done(&cli);
    }
}

TEST(every_command_teaches_and_has_no_flag_twice)
{
    for (size_t v = 0; v < cli_verb_count; v++) {
        const struct cli_verb *verb = cli_verbs[v];
        for (size_t i = 0; i < verb->command_count; i++) {
            const struct cli_command *c = &verb->commands[i];
            struct cli_flag_set set = cli_flags_of(c);
            assert_non_null(c->run);
            assert_true(c->args_min <= c->args_max);
            assert_true(str_contains(str_from(c->example), S("taut ")));
            for (size_t a = 0; a < set.count; a++) {
                str help = str_from(set.flags[a]->help);
                if (help.len < 5)
                    fail_msg("taut %s %s --%s has no help", verb->name, c->name,
                             set.flags[a]->name);
                for (size_t b = 0; b < a; b++) {
                    if (str_eq(str_from(set.flags[a]->name), str_from(set.flags[b]->name)))
                        fail_msg("taut %s %s has --%s twice", verb->name, c->name,
                                 set.flags[a]->name);
                }
            }
        }
    }
}

TEST(distance_finds_typing_mistakes)
{
    assert_int_equal(cli_distance(S("versoin"), S("version")), 2);
    assert_int_equal(cli_distance(S("sync"), S("sync")), 0);
    assert_int_equal(cli_distance(S(""), S("abc")), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(flags_come_in_every_usual_form),
            cmocka_unit_test(a_switch_can_be_switched_off_and_the_last_one_wins),
            cmocka_unit_test(what_stands_behind_two_dashes_is_an_argument),
            cmocka_unit_test(wrong_command_lines_are_refused_with_a_sentence),
            cmocka_unit_test(every_command_teaches_and_has_no_flag_twice),
            cmocka_unit_test(distance_finds_typing_mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
