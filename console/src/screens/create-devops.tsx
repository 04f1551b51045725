/* Create DevOps Project: its words and its tenant boundary. */
import { useState } from "preact/hooks";
import { send } from "../api/client";
import { t } from "../i18n";
import { nameProblem } from "../model";
import { boot, loadBoot } from "../session";
import { Footer, useAction, useDraft } from "../ui/action";
import { TextField } from "../ui/kit";
import { Dialog } from "../ui/overlay";
import { AllowlistFields, allowlistOf, draftOf, lacksLocation } from "./allowlist";

export function CreateDevops({ close }: { close: () => void }) {
    const clusters = boot.value?.clusters ?? [];
    const draft = useDraft("devops.create", {
        name: "",
        alias: "",
        description: "",
        allowlist: draftOf({
            repos: ["*"],
            locations: [clusters.length === 1 ? `${clusters[0]!.name}/*` : "/*"],
            clusterResources: false,
        }),
    });
    const { name, alias, description, allowlist } = draft.value;
    const [checked, setChecked] = useState(false);
    const end = () => {
        draft.drop();
        close();
    };
    const missing = lacksLocation(allowlist);
    const wrong = nameProblem(name);
    const action = useAction(() => {
        void loadBoot();
        end();
    });
    const ok = () => {
        setChecked(true);
        if (wrong || missing) return;
        void action.run(
            () =>
                send("POST", "taut/v1/devops", {
                    name,
                    alias,
                    description,
                    ...allowlistOf(allowlist),
                }),
            t("create.done", { name }),
        );
    };
    return (
        <Dialog
            title={t("devops.createTitle")}
            onClose={end}
            onPrimary={ok}
            error={action.error || undefined}
            footer={<Footer close={end} label={t("common.create")} busy={action.busy} onOk={ok} />}
        >
            <div class="body col">
                <div class="two">
                    <TextField
                        label={t("common.name")}
                        required
                        autofocus
                        value={name}
                        help={t("name.help")}
                        error={checked && wrong ? t(wrong) : undefined}
                        onValue={(to) => draft.change({ name: to })}
                    />
                    <TextField
                        label={t("common.alias")}
                        value={alias}
                        onValue={(to) => draft.change({ alias: to })}
                    />
                </div>
                <TextField
                    label={t("common.description")}
                    value={description}
                    onValue={(to) => draft.change({ description: to })}
                />
                <AllowlistFields
                    value={allowlist}
                    error={checked && missing ? t("allowlist.locationRequired") : undefined}
                    onValue={(to) => draft.change({ allowlist: to })}
                />
            </div>
        </Dialog>
    );
}
