/* Create DevOps Project: its words and its tenant boundary. */
import { useState } from "preact/hooks";
import { send } from "../api/client";
import { t } from "../i18n";
import { nameProblem } from "../model";
import { boot, loadBoot } from "../session";
import { Footer, useAction } from "../ui/action";
import { TextField } from "../ui/kit";
import { Dialog } from "../ui/overlay";
import { AllowlistFields, allowlistOf, useAllowlist } from "./allowlist";

export function CreateDevops({ close }: { close: () => void }) {
    const clusters = boot.value?.clusters ?? [];
    const [name, setName] = useState("");
    const [alias, setAlias] = useState("");
    const [description, setDescription] = useState("");
    const [checked, setChecked] = useState(false);
    const allowlist = useAllowlist({
        repos: ["*"],
        locations: [clusters.length === 1 ? `${clusters[0]!.name}/*` : "/*"],
        clusterResources: false,
    });
    const wrong = nameProblem(name);
    const action = useAction(() => {
        void loadBoot();
        close();
    });
    const ok = () => {
        setChecked(true);
        if (wrong || allowlist.missing) return;
        void action.run(
            () =>
                send("POST", "taut/v1/devops", {
                    name,
                    alias,
                    description,
                    ...allowlistOf(allowlist.draft),
                }),
            t("create.done", { name }),
        );
    };
    return (
        <Dialog
            title={t("devops.createTitle")}
            onClose={close}
            onPrimary={ok}
            error={action.error || undefined}
            footer={
                <Footer close={close} label={t("common.create")} busy={action.busy} onOk={ok} />
            }
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
                        onValue={setName}
                    />
                    <TextField label={t("common.alias")} value={alias} onValue={setAlias} />
                </div>
                <TextField
                    label={t("common.description")}
                    value={description}
                    onValue={setDescription}
                />
                <AllowlistFields
                    value={allowlist.draft}
                    error={
                        checked && allowlist.missing ? t("allowlist.locationRequired") : undefined
                    }
                    onValue={allowlist.setDraft}
                />
            </div>
        </Dialog>
    );
}
