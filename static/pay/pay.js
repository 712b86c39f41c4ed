/* Follows a payment while its payer waits: looks again every two seconds, later every five, and counts down. The page works without it. */
"use strict";

const QUICK = 2000, SLOW = 5000, QUICK_LOOKS = 30, LOOKS = 150;
let looks = 0, next;

function state() { return document.querySelector("[data-pay]"); }

function isOpen() {
    const now = state();
    return now && (document.querySelector("details[data-keep=paybill][open]") || now.dataset.pay === "wait" || now.dataset.pay === "unknown" || (now.dataset.pay === "paid" && now.dataset.ready === "no"));
}

async function look() {
    looks += 1;
    try {
        const answer = await fetch(location.pathname.replace(/\/(prompt|receipt|leave)$/, ""), { credentials: "same-origin" });
        const found = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-pay]");
        const here = state();
        const differs = (name) => found.dataset[name] !== here.dataset[name];
        if (found && (["pay", "ready", "step", "paid"].some(differs) || found.querySelectorAll(".done").length !== here.querySelectorAll(".done").length)) {
            const open = [...here.querySelectorAll("details[open]")].map((part) => part.dataset.keep);
            for (const part of found.querySelectorAll("details")) part.open = part.open || open.includes(part.dataset.keep);
            here.replaceWith(found);
            ready();
        }
    } catch {
        /* no network for a moment: the next look finds it */
    }
    plan();
}

function plan() {
    clearTimeout(next);
    if (isOpen() && looks < LOOKS) next = setTimeout(look, looks < QUICK_LOOKS ? QUICK : SLOW);
}

function count() {
    const ring = document.querySelector(".ring");
    if (!ring) return;
    const left = Math.max(0, Number(ring.dataset.seconds) - 1);
    ring.dataset.seconds = left;
    ring.querySelector(".ring-number").textContent = left;
    ring.querySelector(".ring-left").setAttribute("stroke-dashoffset", 60 - left);
}

function ready() {
    for (const button of document.querySelectorAll("[data-copy]")) {
        button.hidden = !navigator.clipboard;
        button.onclick = () => navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
    }
    for (const part of document.querySelectorAll("details[data-keep=paybill]")) part.ontoggle = plan;
    for (const picture of document.querySelectorAll("[data-picture] img")) {
        picture.onerror = () => { picture.parentElement.hidden = true; };
    }
    for (const form of document.querySelectorAll("form")) {
        form.onsubmit = () => { for (const button of form.querySelectorAll("[type=submit]")) button.disabled = true; };
    }
}

ready();
plan();
setInterval(count, 1000);
