// What every view does: follows the project, sends changes, answers to keys. No part of it comes from elsewhere.
'use strict';
const aura = (() => {
  const body = document.body;
  const { base, api, token } = body.dataset;
  const readOnly = 'readOnly' in body.dataset;
  const policy = window.trustedTypes ? trustedTypes.createPolicy('aura', { createHTML: (text) => text }) : { createHTML: (text) => text };
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

  // Only ever given pages of this server, whose templates escape what is put into them.
  const parse = (text) => new DOMParser().parseFromString(policy.createHTML(text), 'text/html');
  const make = (tag, values = {}, ...inside) => {
    const made = Object.assign(document.createElement(tag), values);
    made.append(...inside);
    return made;
  };
  const { size, words, did } = auraWords;
  // Commands, which stand between backticks, as what can be typed.
  const coded = (text) => text.split('`').map((piece, n) => (n % 2 ? make('code', { textContent: piece }) : piece));

  // ── what is said
  const toasts = $('#toasts');
  const toast = (words, { bad = false, hint = '', undo = false, seconds = 6 } = {}) => {
    const text = make('div', {}, make('div', { textContent: words }));
    if (hint) text.append(make('div', { className: 'hint' }, ...coded(hint)));
    if (bad) for (const other of $$('.toast.bad', toasts)) if (other.dataset.words === words) other.remove(); // said once is enough
    const shown = make('div', { className: bad ? 'toast bad' : 'toast' }, text);
    shown.dataset.words = words;
    if (undo && !readOnly) shown.append(make('button', { textContent: 'Undo', onclick: () => { shown.remove(); act('undo'); } }));
    else shown.append(make('button', { textContent: 'Close', onclick: () => shown.remove() }));
    toasts.append(shown);
    // It waits for whoever is about to use it.
    const go = () => { if (shown.matches(':hover, :focus-within')) setTimeout(go, 1000); else shown.remove(); };
    if (!bad) setTimeout(go, seconds * 1000);
  };
  const ask = (title, words, yes) => new Promise((resolve) => {
    const dialog = $('#ask');
    $('#ask-title').textContent = title;
    $('#ask-words').textContent = words;
    $('#ask-yes').textContent = yes;
    dialog.returnValue = 'no';
    dialog.showModal();
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true });
  });

  // ── changes
  const waiting = new Map();
  const post = async (name, values) => {
    const answer = await fetch(`${api}/${name}`, {
      method: 'POST', body: JSON.stringify(values),
      headers: { 'content-type': 'application/json', 'x-aura-token': token, prefer: 'respond-async' },
    });
    const found = await answer.json();
    if (answer.status === 202) return new Promise((resolve) => { waiting.set(found.id, resolve); showJob(found); });
    return { result: found.error ? null : found, error: found.error || null };
  };
  const lasting = new Set(['undo', 'redo', 'storage/free', 'export/version', 'push', 'fetch', 'sync', 'pull']);
  const LOST = 'The page lost its server.';
  const tellLost = () => toast(LOST, { bad: true, hint: 'Start `aura ui` again, and open the address that it prints.' });
  // What is said behind an open dialog is neither seen well nor read out: it is said inside.
  const refuse = (error, form) => {
    const dialog = form?.closest('dialog[open]');
    if (error.code === 'interrupted') toast('Cancelled.', { hint: 'Nothing is half done: begin again whenever you like.' });
    else if (dialog) {
      $('[data-refused]', form)?.remove();
      const said = make('p', { className: 'warn' }, error.message, ' ', ...coded(error.hint));
      said.dataset.refused = '';
      said.setAttribute('role', 'alert');
      $('.row-end', form).before(said);
    } else toast(error.message, { bad: true, hint: error.hint });
  };
  const act = async (name, values = {}, form = null) => {
    let outcome;
    const at = $('#back [data-at]')?.dataset.at;
    try { outcome = await post(name, values); } catch { tellLost(); return null; }
    if (outcome.error) refuse(outcome.error, form);
    else {
      toast(words(name, outcome.result, at), { undo: !lasting.has(name) && did(name, outcome.result, at) });
      if (form && 'clears' in form.dataset) form.reset();
      else for (const input of form?.elements || []) if ('defaultValue' in input) input.defaultValue = input.value; // nothing is begun any more
    }
    await refresh();
    body.dispatchEvent(new CustomEvent('aura:done', { detail: { name, ...outcome } }));
    return outcome.error ? null : outcome.result;
  };
  const formValues = (form) => {
    const values = {};
    for (const input of form.elements) {
      if (!input.name || input.disabled) continue;
      if (input.type === 'checkbox' && 'many' in input.dataset) { if (input.checked) (values[input.name] ||= []).push(input.value); else values[input.name] ||= []; }
      else if (input.type === 'checkbox') values[input.name] = input.checked;
      else if (input.type !== 'radio' || input.checked) values[input.name] = input.value;
    }
    return values;
  };

  // ── jobs
  const showJob = (job) => {
    const place = $('#jobs');
    let row = $(`[data-job="${job.id}"]`, place);
    if (job.state !== 'running') {
      row?.remove();
      waiting.get(job.id)?.({ result: job.result, error: job.error });
      waiting.delete(job.id);
      return;
    }
    if (!row) {
      row = make('div', { className: 'job' }, make('span', { className: 'job-words' }), make('progress', { ariaLabel: job.title }), make('button', {
        className: 'quiet small', textContent: 'Cancel',
        onclick: () => fetch(`${api}/jobs/${job.id}/cancel`, { method: 'POST', headers: { 'x-aura-token': token } }).catch(tellLost),
      }));
      row.dataset.job = job.id;
      place.append(row);
    }
    $('.job-words', row).textContent = job.phase ? `${job.title}: ${job.phase}` : job.title;
    const bar = $('progress', row);
    if (job.total) { bar.max = job.total; bar.value = job.done; } else bar.removeAttribute('value');
  };

  // ── the page follows the project: parts that are marked are made anew in place
  const AGAIN_MS = 600; // so long after a part that was not ready it is asked for again
  let asked = 0;
  let lastProblem = '';
  const refresh = async () => {
    const turn = (asked += 1);
    let fresh;
    let answer;
    try { answer = await fetch(location.href, { headers: { accept: 'text/html' } }); fresh = parse(await answer.text()); } catch { return; }
    await live.settled();
    if (turn !== asked) return;
    const problem = answer.ok ? '' : $('.problem h1', fresh)?.textContent || '';
    if (problem && problem !== lastProblem) toast(problem, { bad: true, hint: $('.problem .hint', fresh)?.textContent || '' });
    lastProblem = problem;
    if (problem) return;
    for (const part of $$('[data-live]')) {
      const other = part.id && fresh.getElementById(part.id);
      if (!other) continue;
      const grown = part.id === 'versions' && $$(':scope > li', part).length > other.children.length;
      live.put(part, other, grown ? olderThan(part, other) : null);
    }
    document.title = fresh.title || document.title;
    load();
    glances();
    mark();
    body.dispatchEvent(new Event('aura:fresh'));
  };
  // A list that was scrolled keeps its older rows: returns the first that the first page does not have.
  const olderThan = (list, fresh) => {
    const last = $$(':scope > li.version', fresh).at(-1);
    const row = last && $(`:scope > [id="${CSS.escape(last.id)}"]`, list);
    if (row) $(':scope > [data-more]', fresh)?.remove();
    return row ? row.nextSibling : null;
  };
  let soon = 0;
  const refreshSoon = () => { clearTimeout(soon); soon = setTimeout(refresh, 60); };
  // What is out of sight, as the last of many remotes, is asked for when it comes into view.
  const inSight = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) if (isIntersecting) { inSight.unobserve(target); target.removeAttribute('data-lazy'); load(`#${target.closest('[id]').id} [data-load]`); }
  }, { rootMargin: '200px' });
  const load = (which = '[data-load]') => {
    for (const part of $$(which)) {
      if ('lazy' in part.dataset) { inSight.observe(part); continue; }
      loadOne(part);
    }
  };
  const loadOne = async (part) => {
    const turn = part.turn = (part.turn || 0) + 1;
    let answer;
    let text;
    try { answer = await fetch(part.dataset.load); text = await answer.text(); } catch { return; }
    await live.settled();
    if (turn !== part.turn) return;
    part.setAttribute('aria-busy', 'false');
    if (part.dataset.text !== text) {
      part.dataset.text = text;
      const fresh = parse(text).body;
      // What went wrong is said in its place.
      if (!answer.ok) fresh.replaceChildren(make('p', { className: 'warn' }, $('.problem h1', fresh)?.textContent || '', ' ', ...($('.hint', fresh)?.childNodes || [])));
      live.put(part, fresh);
      body.dispatchEvent(new CustomEvent('aura:loaded', { detail: part }));
    }
    if ($('[data-again]', part)) setTimeout(() => { if (part.isConnected && turn === part.turn) loadOne(part); }, AGAIN_MS);
  };
  // Small pictures that were not there yet are asked for again when the media index has more.
  let looking = 0;
  let again = 0;
  const missing = new Set();
  document.addEventListener('error', (event) => {
    if (event.target.matches?.('img:is([src*="/look/poster/"], [src*="/look/strip/"]), image[data-shot]')) { event.target.classList.add('absent'); missing.add(event.target); }
  }, true);
  const lookAgain = () => {
    for (const image of [...missing]) {
      missing.delete(image);
      if (!image.isConnected) continue;
      image.classList.remove('absent');
      if (image.href?.baseVal) image.setAttribute('href', `${image.href.baseVal.split('#')[0]}#${again += 1}`);
      else image.src = `${image.src.split('#')[0]}#${again += 1}`;
    }
  };
  // A browser opens few connections to one address: pages that nobody looks at let go of theirs, and catch up later.
  let source = null;
  const listen = () => {
    if (source) return;
    source = new EventSource(`${api}/events?mark=${body.dataset.mark}`);
    source.addEventListener('operation', refreshSoon);
    source.addEventListener('files', () => { load('[data-of-files]'); if (body.dataset.view === 'compare') refreshSoon(); });
    source.addEventListener('job', (event) => showJob(JSON.parse(event.data)));
    source.addEventListener('media', () => { clearTimeout(looking); looking = setTimeout(lookAgain, 150); });
    source.addEventListener('open', () => {
      clearTimeout(lost);
      lost = 0;
      isLost = false;
      for (const shown of $$('.toast.bad')) if (shown.dataset.words === LOST) shown.remove();
      body.setAttribute('data-follows', '');
      askForJobs();
    });
    source.addEventListener('error', () => { body.removeAttribute('data-follows'); lost ||= setTimeout(lookFor, LOST_MS); });
  };
  // A page that does not follow any more says so, and why; it goes on when server and project are there again.
  const LOST_MS = 2000;
  let lost = 0;
  let isLost = false;
  const lookFor = async () => {
    lost = 0;
    try { await fetch(`${api}/jobs`); await refresh(); } catch { if (!isLost) tellLost(); isLost = true; }
    if (source?.readyState === EventSource.CLOSED) { deafen(); listen(); }
  };
  const deafen = () => { clearTimeout(lost); lost = 0; source?.close(); source = null; body.removeAttribute('data-follows'); };
  const askForJobs = () => {
    for (const id of waiting.keys()) fetch(`${api}/jobs/${id}`).then((answer) => answer.json()).then((job) => { if (job.id) showJob(job); }).catch(() => {});
  };
  document.addEventListener('visibilitychange', () => { if (!document.hidden) listen(); else if (!waiting.size) deafen(); });
  window.addEventListener('pagehide', deafen);
  window.addEventListener('pageshow', (event) => { if (event.persisted) { listen(); refresh(); } });

  // ── glances at versions: words, pictures and room, for rows that come into view
  const seen = new Map();
  let wanted = [];
  let gathering = 0;
  const show = (row, glance) => {
    row.dataset.seen = '';
    $('[data-words]', row).textContent = glance.words;
    if (glance.alone_bytes) $('[data-alone]', row).textContent = size(glance.alone_bytes);
    const thumb = $('[data-thumb]', row);
    if (!glance.picture || thumb.firstChild) return;
    const image = make('img', { alt: '', decoding: 'async', src: `${base}/look/poster/${row.dataset.id}/${glance.picture}` });
    thumb.append(image);
  };
  const gather = async () => {
    const rows = wanted.splice(0, 40);
    if (!rows.length) return;
    try {
      const found = await (await fetch(`${base}/glance?v=${rows.map((row) => row.dataset.id).join(',')}`)).json();
      for (const [id, glance] of Object.entries(found)) seen.set(id, glance);
      for (const row of rows) if (seen.has(row.dataset.id)) show(row, seen.get(row.dataset.id));
    } catch { /* the next look asks again */ }
    if (wanted.length) gather();
  };
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) { watcher.unobserve(entry.target); wanted.push(entry.target); }
    clearTimeout(gathering);
    gathering = setTimeout(gather, 30);
  }, { rootMargin: '300px' });
  const more = new IntersectionObserver(async (entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      more.unobserve(entry.target);
      const rows = parse(await (await fetch(entry.target.dataset.more)).text()).body.childNodes;
      entry.target.replaceWith(...rows);
      glances();
    }
  }, { rootMargin: '900px' });
  const glances = () => {
    for (const row of $$('.version:not([data-seen])')) {
      if (seen.has(row.dataset.id)) show(row, seen.get(row.dataset.id)); else watcher.observe(row);
    }
    for (const row of $$('[data-more]')) more.observe(row);
  };

  // ── two versions to compare
  const chosen = new Map();
  const mark = () => {
    const bar = $('#chosen');
    if (!bar) return;
    for (const input of $$('[data-choose]')) {
      input.checked = chosen.has(input.dataset.choose);
      input.closest('.version').classList.toggle('chosen-one', input.checked);
    }
    const ids = [...chosen.keys()];
    bar.hidden = !ids.length;
    const names = ids.map((id) => chosen.get(id)).sort((one, other) => one.at - other.at);
    $('#chosen-words').textContent = ids.length > 1 ? `${names[0].called} with ${names[1].called}` : ids.length ? `${names[0].called} with your folder` : '';
    const query = new URLSearchParams(ids.length > 1 ? { old: names[0].id, new: names[1].id } : { old: names[0]?.id || '' });
    if (names.at(-1)?.path) query.set('path', names.at(-1).path);
    $('#chosen-link').href = `${base}/compare?${query}`;
  };
  const choose = (input) => {
    const row = input.closest('.version');
    const id = input.dataset.choose;
    if (!input.checked) chosen.delete(id);
    else {
      if (chosen.size > 1) chosen.delete(chosen.keys().next().value);
      chosen.set(id, { id, called: row.dataset.called, path: row.dataset.path, at: -[...row.parentNode.children].indexOf(row) });
    }
    mark();
  };

  // ── clicks and forms
  const openDialog = (name, fill, called = '') => {
    const dialog = document.getElementById(name);
    if (!dialog) return;
    $('form', dialog)?.reset();
    $('[data-refused]', dialog)?.remove();
    const of = $('[data-of]', dialog);
    if (of) of.textContent = called;
    for (const [key, value] of Object.entries(fill || {})) if (dialog.querySelector(`[name="${key}"]`)) dialog.querySelector(`[name="${key}"]`).value = value ?? '';
    dialog.showModal();
    dialog.querySelector('input:not([type=hidden]), textarea')?.select();
  };
  const shut = (menu, isUsed) => { menu.open = false; if (isUsed && menu.contains(document.activeElement)) $('summary', menu).focus(); };
  document.addEventListener('click', async (event) => {
    const button = event.target.closest('[data-do], [data-open], [data-close], [data-unchoose]');
    for (const menu of $$('.menu[open]')) if (!menu.contains(event.target) || button) shut(menu, button);
    if (!button) return;
    if ('close' in button.dataset) button.closest('dialog').close();
    else if ('unchoose' in button.dataset) { chosen.clear(); mark(); }
    else if (button.dataset.open) openDialog(button.dataset.open, button.dataset.fill && JSON.parse(button.dataset.fill), button.closest('.version')?.dataset.called);
    else if (!readOnly) {
      if (button.dataset.sure && !await ask(button.dataset.sure, button.dataset.words || '', button.textContent.trim())) return;
      const values = button.dataset.with ? JSON.parse(button.dataset.with) : {};
      await act(button.dataset.do, values);
    }
  });
  document.addEventListener('change', (event) => { if (event.target.matches('[data-choose]')) choose(event.target); });
  document.addEventListener('submit', async (event) => {
    const form = event.target.closest('[data-post]');
    if (!form) return;
    event.preventDefault();
    const button = form.querySelector('button.main');
    if (button) button.disabled = true;
    const values = formValues(form);
    for (const key of Object.keys(values)) if (values[key] === '' && 'optional' in (form.elements[key]?.dataset || {})) delete values[key];
    document.activeElement?.blur();
    const result = await act(form.dataset.post, values, form);
    if (button) button.disabled = false;
    if (document.activeElement === body && !$('dialog[open]')) (form.isConnected && button || $('#main')).focus({ preventScroll: true });
    if (result !== null) form.closest('dialog')?.close();
  });

  // ── keys
  const rowsOf = () => { const list = $('[data-list]'); return list ? $$(':scope > li', list).filter((row) => row.querySelector('a')) : []; };
  const current = () => rowsOf().findIndex((row) => row.classList.contains('current'));
  const step = (by) => {
    const rows = rowsOf();
    if (!rows.length) return;
    const at = Math.min(Math.max(current() + by, 0), rows.length - 1);
    rows.forEach((row, n) => row.classList.toggle('current', n === at));
    rows[at].scrollIntoView({ block: 'nearest' });
    (rows[at].querySelector('a.name') || rows[at].querySelector('a:not([tabindex])'))?.focus({ preventScroll: true });
  };
  const places = { h: '', c: '/compare', m: '/merge', s: '/space', r: '/machines', o: '/operations', f: '/film' };
  const keys = {
    '?': () => openDialog('keys'),
    '/': () => $('.find input').focus(),
    j: () => step(1),
    k: () => step(-1),
    x: () => { const input = rowsOf()[current()]?.querySelector('[data-choose]'); if (input) { input.checked = !input.checked; choose(input); } },
    c: () => { if (chosen.size) location.href = $('#chosen-link').href; else rowsOf()[current()]?.querySelector('a.icon-button')?.click(); },
    u: () => { if (!readOnly) act('undo'); },
    U: () => { if (!readOnly) act('redo'); },
    s: () => $('#commit input')?.select(),
  };
  let before = '';
  document.addEventListener('keydown', (event) => {
    const menu = event.key === 'Escape' && $('.menu[open]');
    if (menu) { shut(menu, true); return; }
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches('input:not([type=checkbox]):not([type=range]), textarea, select') || $('dialog[open]')) {
      if (event.key === 'Escape') event.target.blur?.();
      return;
    }
    const after = before;
    before = event.key === 'g' ? 'g' : '';
    if (after === 'g' && event.key in places && $(`.views a[href="${base}${places[event.key]}"]`)) { event.preventDefault(); location.href = base + places[event.key]; return; }
    const does = keys[event.key];
    if (!does || event.target.matches('button, summary') && event.key === ' ') return;
    event.preventDefault();
    does(event);
  });

  $('.views [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
  if (!document.hidden) listen();
  load();
  glances();
  mark();
  body.setAttribute('data-ready', '');
  return { $, $$, act, api, base, body, fetchJson: async (address) => (await fetch(address)).json(), keys, load, make, parse, refresh, size, toast };
})();
