// Parts that the server made anew are put in place of what is there: only what differs is touched, so that focus,
// scrolling, selections, open menus, players and begun words stay; and nothing moves under a pointer that is down.
'use strict';
const live = (() => {
  // What the page itself sets, and the server knows nothing of.
  const OURS = new Set(['open', 'data-seen', 'data-lazy', 'data-text', 'data-is-shown', 'data-asked', 'data-made', 'data-failed', 'aria-busy']);
  const LOOKS = ['current', 'chosen-one', 'absent', 'pointed', 'now'];
  const MADE = '.making, .region, .moment';
  const FILLED = '[data-words], [data-alone], [data-thumb], [data-load]';
  const WRITTEN = 'input:not([type=hidden]):not([type=checkbox]):not([type=radio]), textarea';

  const isBegun = (form) => [...form.querySelectorAll(WRITTEN)].some((one) => one === document.activeElement || one.value !== one.defaultValue);
  const isLeft = (old, fresh) => old.matches('form') && isBegun(old) || old === document.activeElement && old.matches('input, textarea, select')
    || 'made' in old.dataset || old.matches('[data-ab]') && old.dataset.is === fresh.dataset.is;
  const one = (old, fresh) => {
    if (old.nodeType !== Node.ELEMENT_NODE) { if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue; return; }
    if (isLeft(old, fresh)) return;
    if (old.matches('[data-ab]')) { old.replaceWith(document.importNode(fresh, true)); return; }
    for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name) && !OURS.has(name) && name !== 'class') old.removeAttribute(name);
    for (const { name, value } of fresh.attributes) if (!OURS.has(name) && name !== 'class' && old.getAttribute(name)?.replace(/#\d+$/, '') !== value) old.setAttribute(name, value);
    const looks = [...fresh.classList, ...LOOKS.filter((name) => old.classList.contains(name) && !fresh.classList.contains(name))].join(' ');
    if ((old.getAttribute('class') || '') !== looks) old.setAttribute('class', looks);
    if (old.matches(WRITTEN) && old.value !== fresh.value) old.value = fresh.value; // which no longer follows its attribute once somebody wrote
    if (!old.matches(FILLED) || !fresh.hasAttribute('data-load') && old.hasAttribute('data-load')) all(old, fresh);
  };
  const isAlike = (old, fresh) => old.nodeType === fresh.nodeType && old.nodeName === fresh.nodeName && (old.id || '') === (fresh.id || '');
  const isMade = (node) => node.nodeType === Node.ELEMENT_NODE && node.matches(MADE);
  // Makes the children of one element those of another; what comes from `end` on is left as it is.
  const all = (old, fresh, end = null) => {
    const wanted = new Set([...fresh.children].map((child) => child.id).filter(Boolean));
    const named = new Map();
    for (let node = old.firstChild, next; node !== end; node = next) {
      next = node.nextSibling;
      if (node.id && !wanted.has(node.id)) node.remove();
      else if (node.id) named.set(node.id, node);
    }
    let at = old.firstChild;
    for (const node of [...fresh.childNodes]) {
      while (at !== end && isMade(at)) at = at.nextSibling;
      const there = node.id ? named.get(node.id) : at !== end && isAlike(at, node) ? at : null;
      if (!there) { old.insertBefore(document.importNode(node, true), at); continue; }
      if (there === at) at = at.nextSibling; else old.insertBefore(there, at);
      if (isAlike(there, node)) one(there, node);
      else there.replaceWith(document.importNode(node, true));
    }
    while (at !== end) {
      const next = at.nextSibling;
      if (!isMade(at)) at.remove();
      at = next;
    }
  };
  const put = (old, fresh, end = null) => {
    const had = old.contains(document.activeElement);
    all(old, fresh, end);
    if (had && !old.contains(document.activeElement)) document.getElementById('main')?.focus({ preventScroll: true });
  };

  // ── nothing is put in place while a pointer is down or a menu is open
  let pressed = 0;
  let waiting = [];
  const isQuiet = () => !pressed && !document.querySelector('.menu[open]');
  const look = () => { if (isQuiet()) { const ready = waiting; waiting = []; for (const go of ready) go(); } };
  const release = () => { clearTimeout(pressed); pressed = 0; look(); };
  document.addEventListener('pointerdown', () => { clearTimeout(pressed); pressed = setTimeout(release, 10_000); }, true);
  for (const name of ['pointerup', 'pointercancel', 'dragend']) document.addEventListener(name, () => setTimeout(release), true);
  window.addEventListener('blur', release);
  document.addEventListener('toggle', look, true);
  const settled = () => new Promise((resolve) => { if (isQuiet()) resolve(); else waiting.push(resolve); });
  return { put, settled };
})();
