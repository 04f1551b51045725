/* SPDX-License-Identifier: Apache-2.0 */
/* Linked only while src/schema/validate.c is not there: nothing is validated, nothing defaulted. */
#include "schema/strategic.h"
#include "schema/validate.h"

void validate_unknown(UNUSED struct arena *arena, UNUSED const struct type *type,
                      UNUSED struct val *object, UNUSED bool prune, UNUSED struct val *ret_paths)
{
}
bool validate_decode(UNUSED struct arena *arena, UNUSED const struct type *type,
                     UNUSED const struct val *object, UNUSED struct err *err)
{
    return true;
}
void validate_problem(struct arena *arena, struct val *problems, UNUSED const char *reason,
                      str field, UNUSED const char *format, ...)
{
    val_append(arena, problems, val_string(arena, field));
}
void validate_structural(UNUSED struct arena *arena, UNUSED const struct type *type,
                         UNUSED const struct val *object, UNUSED struct val *problems)
{
}
void validate_metadata(UNUSED struct arena *arena, UNUSED const struct val *object,
                       UNUSED bool namespaced, UNUSED bool label_name, UNUSED struct val *problems)
{
}
void validate_builtin(UNUSED struct arena *arena, UNUSED struct gvk gvk,
                      UNUSED const struct val *object, UNUSED const struct val *old,
                      UNUSED struct val *problems)
{
}
void validate_default(UNUSED struct arena *arena, UNUSED const struct type *type,
                      UNUSED struct val *object)
{
}
void validate_default_builtin(UNUSED struct arena *arena, UNUSED struct gvk gvk,
                              UNUSED struct val *object)
{
}
void validate_normalise_builtin(UNUSED struct arena *arena, UNUSED const struct type *type,
                                UNUSED struct val *object)
{
}
bool strategic_apply(UNUSED struct arena *arena, UNUSED const struct type *type,
                     UNUSED struct val *root, UNUSED const struct val *patch, struct err *err)
{
    return err_set(err, ERR_UNSUPPORTED, "not supported yet: strategic merge patches");
}
