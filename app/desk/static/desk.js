// The desk's pages work without this script. With it they stay up to date, and change in place.
"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const RETRY_MS = 2000, FULL_MS = 30000, PAUSE_MS = 150;
  let source = null, address = null, again = null, heard = new Date();

  // ---- parts of the page ---------------------------------------------------------------------------------------
  const parsed = (html) => {
    const holder = document.createElement("template");
    holder.innerHTML = html.trim();
    return holder.content.firstElementChild;
  };

  // Takes the place of an element without losing the keyboard's focus inside it.
  const swap = (old, fresh) => {
    if (old.isEqualNode(fresh)) return;
    const focus = document.activeElement;
    const within = focus !== document.body && old.contains(focus) ? [...old.querySelectorAll("a,button,input,select")].indexOf(focus) : -1;
    old.replaceWith(fresh);
    if (within >= 0) fresh.querySelectorAll("a,button,input,select")[within]?.focus({ preventScroll: true });
  };

  const take = (changes) => {
    const fresh = new Map();
    for (const [id, html] of Object.entries(changes.parts || {})) {
      const node = parsed(html), old = byId(id);
      if (!node) continue;
      if (old) swap(old, node);
      else fresh.set(id, node);
    }
    for (const [id, order] of Object.entries(changes.lists || {})) {
      const list = byId(id);
      if (!list) continue;
      const wanted = new Set(order);
      for (const child of [...list.children]) if (!wanted.has(child.id)) child.remove();
      order.forEach((name, index) => {
        const child = byId(name) || fresh.get(name);
        if (child && list.children[index] !== child) list.insertBefore(child, list.children[index] || null);
      });
    }
    for (const id of changes.reload || []) load(byId(id));
    document.dispatchEvent(new Event("desk:changed"));
  };

  // ---- the stream of changes -----------------------------------------------------------------------------------
  const tell = (text) => { const place = byId("link-state"); if (place && place.textContent !== text) place.textContent = text; };

  const away = () => tell(`not connected; as of ${heard.toISOString().slice(11, 19)} UTC`);

  const listen = () => {
    const wanted = document.querySelector("[data-stream]")?.dataset.stream || null;
    if (wanted === address && source && source.readyState !== EventSource.CLOSED) return;
    clearTimeout(again);
    source?.close();
    source = null;
    address = wanted;
    if (!wanted) return;
    const opened = source = new EventSource(wanted);
    opened.addEventListener("edition", (event) => {
      if (event.data !== document.documentElement.dataset.edition) location.reload();
      heard = new Date();
      tell("live");
    });
    opened.addEventListener("changes", (event) => { if (opened === source) { heard = new Date(); take(JSON.parse(event.data)); } });
    opened.addEventListener("refused", (event) => { opened.close(); tell(JSON.parse(event.data).detail); });
    opened.addEventListener("full", (event) => {
      opened.close();
      tell(JSON.parse(event.data).detail);
      again = setTimeout(connect, FULL_MS);
    });
    opened.onerror = () => {
      if (opened !== source) return;
      away();
      if (opened.readyState === EventSource.CLOSED) again = setTimeout(connect, RETRY_MS);
    };
  };
  // Whoever is no longer let in is shown the form for the key.
  const connect = async () => {
    await fetched(location.href);
    address = null;
    listen();
  };
  addEventListener("pagehide", () => source?.close());

  // ---- fragments -----------------------------------------------------------------------------------------------
  // Null where the service is away, which the page then says.
  const fetched = async (url, options = {}) => {
    try {
      const answer = await fetch(url, { ...options, headers: { ...options.headers, "X-Fragment": "1" }, credentials: "same-origin" });
      if (answer.status === 401) location.reload();
      return answer;
    } catch { away(); return null; }
  };

  const load = async (place) => {
    if (!place?.dataset.load) return;
    const answer = await fetched(place.dataset.load);
    if (answer?.ok) place.innerHTML = await answer.text();
  };

  let latest = 0;
  const into = async (id, url) => {
    const mine = ++latest;
    const answer = await fetched(url);
    if (mine !== latest || !answer?.ok) return;
    const fresh = parsed(await answer.text()), old = byId(id);
    const typed = document.activeElement?.id;
    const kept = typed && byId(typed)?.selectionStart;
    old.replaceWith(fresh);
    if (typed) {
      const field = byId(typed);
      field?.focus({ preventScroll: true });
      if (kept != null && field?.setSelectionRange) field.setSelectionRange(kept, kept);
    }
    if (fresh.dataset.place) history.replaceState(null, "", fresh.dataset.place);
    listen();
  };

  const later = (work) => { let timer; return (...given) => { clearTimeout(timer); timer = setTimeout(() => work(...given), PAUSE_MS); }; };
  const query = (form) => new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== "")).toString();
  const filter = later((form) => into(form.dataset.filter, `${form.getAttribute("action")}?${query(form)}`));

  // ---- the ticket's quote, as it is typed ----------------------------------------------------------------------
  let asked = 0;
  const quote = later(async (form) => {
    const mine = ++asked;
    byId("ticket-quote").setAttribute("aria-busy", "true");
    const answer = await fetched(form.dataset.quote, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    if (mine !== asked) return;
    byId("ticket-quote").removeAttribute("aria-busy");
    if (!answer?.ok) return;
    tell("");
    byId("ticket-quote").replaceWith(parsed(await answer.text()));
    for (const place of form.querySelectorAll(".wrong")) {
      const name = place.id.slice("wrong-".length), told = document.querySelector(`#ticket-quote [data-wrong="${name}"]`);
      place.textContent = told ? told.textContent : "";
      const field = byId(name);
      if (told) field?.setAttribute("aria-invalid", "true"); else field?.removeAttribute("aria-invalid");
    }
  });

  // ---- dialogs -------------------------------------------------------------------------------------------------
  const ask = async (url) => {
    const answer = await fetched(url);
    if (!answer) return;
    byId("dialog-content").innerHTML = await answer.text();
    byId("dialog").showModal();
    byId("dialog").querySelector("[autofocus]")?.focus();
  };

  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (event.target.closest("[data-help]")) { byId("help").showModal(); return; }
    if (event.target.closest("[data-close]")) { event.target.closest("dialog")?.close(); event.preventDefault(); return; }
    const link = event.target.closest("a");
    if (!link) return;
    if (link.dataset.dialog !== undefined) { event.preventDefault(); ask(link.href); }
    else if (link.dataset.into) { event.preventDefault(); into(link.dataset.into, link.getAttribute("href")); }
  });
  document.addEventListener("input", (event) => {
    const form = event.target.form;
    if (form?.dataset.filter) filter(form);
    if (form?.dataset.quote) quote(form);
  });
  document.addEventListener("submit", (event) => {
    if (event.target.dataset.filter) { event.preventDefault(); filter(event.target); }
  });

  // ---- what a chart says under the pointer ---------------------------------------------------------------------
  document.addEventListener("pointerover", (event) => {
    const told = event.target.closest?.("[data-tip]");
    const place = told?.closest("figure")?.querySelector("output");
    if (place) place.textContent = told.dataset.tip;
  });

  // ---- the keyboard --------------------------------------------------------------------------------------------
  const move = (by) => {
    const rows = [...document.querySelectorAll(".row-link")];
    if (!rows.length) return;
    const at = rows.indexOf(document.activeElement);
    rows[Math.min(rows.length - 1, Math.max(0, at < 0 ? (by > 0 ? 0 : rows.length - 1) : at + by))].focus();
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input,select,textarea")) { if (event.key === "Escape") event.target.blur(); return; }
    if (document.querySelector("dialog[open]")) return;
    if (event.key === "?") byId("help").showModal();
    else if (event.key === "/") document.querySelector('input[type="search"]')?.focus();
    else if (event.key === "j") move(1);
    else if (event.key === "k") move(-1);
    else {
      const target = [...document.querySelectorAll("[data-key]")].find((each) => each.dataset.key === event.key);
      if (!target) return;
      target.click();
    }
    event.preventDefault();
  });

  for (const place of document.querySelectorAll("[data-load]")) load(place);
  if (!byId("ticket-faults")) for (const form of document.querySelectorAll("form[data-quote]")) quote(form);
  listen();
})();
