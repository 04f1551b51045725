import { expect, it } from "vitest";
import { en } from "../src/i18n/en";
import { zhCN } from "../src/i18n/zh-CN";
import { language, t } from "../src/i18n";

const places = (text: string) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort().join();

it("both languages have the same keys with the same placeholders", () => {
    expect(Object.keys(zhCN).sort()).toEqual(Object.keys(en).sort());
    for (const [key, text] of Object.entries(en))
        expect(`${key}: ${places(zhCN[key as keyof typeof en])}`).toBe(`${key}: ${places(text)}`);
});

it("plurals follow the number", () => {
    language.value = "en";
    expect(t("apps.count", { n: 1 })).toBe("1 deployment");
    expect(t("apps.count", { n: 2 })).toBe("2 deployments");
    language.value = "zh-CN";
    expect(t("apps.count", { n: 1 })).toBe("共 1 个持续部署");
});
