// Two states of a picture, video or sound beside, over or instead of each other. What is chosen stands in the address.
'use strict';
(() => {
  const { $, $$, keys } = aura;
  const state = new URLSearchParams(location.search);
  const remember = (name, value) => {
    state.set(name, value);
    history.replaceState(null, '', `${location.pathname}?${state}${location.hash}`);
  };
  for (const select of $$('[data-submits]')) select.addEventListener('change', () => select.form.submit());
  const go = (rel) => () => $(`a[rel=${rel}]`)?.click();
  keys['['] = go('prev');
  keys[']'] = go('next');

  const clock = (seconds) => `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(2).padStart(5, '0')}`;
  const modes = (ab, slider) => {
    const stage = $('.ab-stage', ab);
    const set = (mode) => {
      stage.dataset.mode = mode;
      slider.hidden = mode === 'side' || mode === 'difference';
      $('[data-slider-word]', slider).textContent = mode === 'wipe' ? 'Wipe' : 'Blend';
      for (const button of $$('button[data-mode]', ab)) {
        const is = button.dataset.mode === mode;
        button.setAttribute('aria-checked', is);
        button.tabIndex = is ? 0 : -1;
      }
      remember('mode', mode);
    };
    const move = () => { stage.style.setProperty('--at', `${$('input', slider).value}%`); stage.style.setProperty('--share', $('input', slider).value / 100); };
    const place = (event) => {
      if (stage.dataset.mode !== 'wipe' || !event.buttons) return;
      const box = $('.ab-new', stage).getBoundingClientRect();
      $('input', slider).value = Math.min(100, Math.max(0, 100 * (event.clientX - box.left) / box.width));
      move();
    };
    stage.addEventListener('pointerdown', place);
    stage.addEventListener('pointermove', place);
    $('input', slider).addEventListener('input', move);
    $('input', slider).addEventListener('change', () => remember('at', $('input', slider).value));
    ab.addEventListener('click', (event) => { const mode = event.target.closest('button[data-mode]')?.dataset.mode; if (mode) set(mode); });
    $('.modes', ab).addEventListener('keydown', (event) => {
      const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!by) return;
      const all = $$('button[data-mode]', ab);
      const next = all[(all.findIndex((one) => one.tabIndex === 0) + by + all.length) % all.length];
      set(next.dataset.mode);
      next.focus();
    });
    $$('button[data-mode]', ab).forEach((button, n) => { keys[n + 1] = () => set(button.dataset.mode); });
    if (state.has('at')) $('input', slider).value = state.get('at');
    move();
    set(state.get('mode') || 'side');
  };

  const svg = (tag, values) => {
    const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
    for (const [key, value] of Object.entries(values)) made.setAttribute(key, value);
    return made;
  };
  const ask = async (ab) => { try { return await aura.fetchJson(ab.dataset.ask); } catch { return { problem: 'The page lost its server.' }; } };

  // ── two videos as one
  const video = async (ab) => {
    const [old, fresh] = [$('.ab-old', ab), $('.ab-new', ab)];
    const seek = $('[data-seek]', ab);
    let rate = 25;
    let stretches = [];
    const length = () => Math.max(old.duration || 0, fresh.duration || 0);
    const both = (does) => { does(old); does(fresh); };
    const to = (seconds) => {
      const at = Math.min(Math.max(0, seconds), length());
      both((one) => { one.currentTime = Math.min(at, one.duration || at); });
      show(at);
    };
    const show = (at) => {
      if (document.activeElement !== seek) seek.value = length() ? 1000 * at / length() : 0;
      $('[data-clock]', ab).textContent = `${clock(at)} / ${clock(length())}`;
    };
    const lead = () => ((fresh.duration || 0) >= (old.duration || 0) ? fresh : old);
    const follow = () => {
      const [first, second] = lead() === fresh ? [fresh, old] : [old, fresh];
      if (!second.ended && second.readyState > 1 && Math.abs(first.currentTime - second.currentTime) > 0.06 && first.currentTime < (second.duration || 0)) second.currentTime = first.currentTime;
      show(first.currentTime);
      if (!first.paused && !first.ended) requestAnimationFrame(follow);
      else ab.removeAttribute('data-playing');
    };
    const toggle = () => {
      if (lead().paused) {
        if (lead().ended) to(0);
        Promise.all([old.play(), fresh.play()].map((one) => one?.catch(() => {}))).then(() => { ab.dataset.playing = ''; follow(); });
      } else { both((one) => one.pause()); remember('t', lead().currentTime.toFixed(3)); }
    };
    const step = (by) => { both((one) => one.pause()); to((Math.round(lead().currentTime * rate) + by) / rate + 0.0005); remember('t', lead().currentTime.toFixed(3)); };
    const jump = (by) => {
      const at = lead().currentTime;
      const starts = stretches.map(([start]) => start);
      const next = by > 0 ? starts.find((start) => start > at + 0.05) : starts.filter((start) => start < at - 0.3).at(-1);
      if (next !== undefined) { to(next); remember('t', next.toFixed(3)); }
    };
    const sound = (side) => {
      old.muted = side !== 'old';
      fresh.muted = side !== 'new';
      for (const button of $$('[data-sound]', ab)) button.setAttribute('aria-checked', button.dataset.sound === side);
      remember('sound', side);
    };
    $('[data-play]', ab).addEventListener('click', toggle);
    for (const button of $$('[data-step]', ab)) button.addEventListener('click', () => step(Number(button.dataset.step)));
    for (const button of $$('[data-jump]', ab)) button.addEventListener('click', () => jump(Number(button.dataset.jump)));
    for (const button of $$('[data-sound]', ab)) button.addEventListener('click', () => sound(button.dataset.sound));
    seek.addEventListener('input', () => to(length() * seek.value / 1000));
    seek.addEventListener('change', () => remember('t', lead().currentTime.toFixed(3)));
    const placeNotes = () => {
      for (const mark of $$('.moment', ab)) {
        const [start, end] = [Number(mark.dataset.from), Number(mark.dataset.until)];
        Object.assign(mark.style, { left: `${Math.min(100, 100 * start / length())}%`, width: `${Math.min(100, 100 * (end - start) / length())}%` });
        mark.onclick = () => { both((one) => one.pause()); to(start); remember('t', start.toFixed(3)); };
      }
    };
    both((one) => one.addEventListener('loadedmetadata', () => { if (old.duration && fresh.duration) placeNotes(); }));
    if (old.duration && fresh.duration) placeNotes();
    both((one) => one.addEventListener('loadedmetadata', () => { if (old.duration && fresh.duration) to(Number(state.get('t')) || 0); }));
    if (old.duration && fresh.duration) to(Number(state.get('t')) || 0);
    Object.assign(keys, { ' ': toggle, ',': () => step(-1), '.': () => step(1), n: () => jump(1), p: () => jump(-1), a: () => sound('old'), b: () => sound('new') });
    sound(state.get('sound') || 'old');
    const found = await ask(ab);
    rate = found.new?.frames_per_second || rate;
    stretches = [...(found.scenes || []), ...(found.sounds || [])].sort((one, other) => one[0] - other[0]);
    const whole = Math.max(found.old?.seconds || 0, found.new?.seconds || 0) || 1;
    const drawn = $('.stretches', ab);
    for (const [kind, list] of [['seen', found.scenes || []], ['heard', found.sounds || []]]) {
      for (const [start, end] of list) drawn.append(svg('rect', { class: kind, x: `${100 * start / whole}%`, width: `${Math.max(0.4, 100 * (end - start) / whole)}%`, y: kind === 'seen' ? 0 : 5, height: 5, rx: 2 }));
    }
    $('[data-told]', ab).textContent = found.problem || (stretches.length ? `${stretches.length} ${stretches.length === 1 ? 'stretch differs' : 'stretches differ'}: n and p go from one to the next.` : (found.lines || []).join('; ') || 'No stretch looks or sounds different.');
    ab.dataset.decoded = '';
  };

  // ── two sounds, and where they differ
  const sound = async (ab) => {
    const found = await ask(ab);
    const whole = Math.max(found.old?.seconds || 0, found.new?.seconds || 0) || 1;
    const loudest = Math.max(1, ...(found.old?.envelope || []), ...(found.new?.envelope || []));
    for (const side of ['old', 'new']) {
      const wave = $(`[data-wave=${side}]`, ab);
      const facts = found[side];
      const player = $(`.ab-${side}`, ab);
      if (facts?.envelope?.length) {
        const step = 1000 * (facts.seconds || whole) / whole / facts.envelope.length;
        const points = facts.envelope.map((peak, n) => [n * step, 30 * peak / loudest]);
        const line = [...points.map(([x, y]) => `${x.toFixed(1)},${(32 - y).toFixed(1)}`), ...points.reverse().map(([x, y]) => `${x.toFixed(1)},${(32 + y).toFixed(1)}`)];
        wave.append(svg('polygon', { points: line.join(' ') }));
      }
      for (const [start, end] of found.sounds || []) wave.append(svg('rect', { class: 'differs', x: 1000 * start / whole, width: Math.max(3, 1000 * (end - start) / whole), y: 0, height: 64 }));
      const needle = wave.appendChild(svg('line', { class: 'needle', x1: 0, x2: 0, y1: 0, y2: 64 }));
      player.addEventListener('timeupdate', () => { const x = 1000 * player.currentTime / whole; needle.setAttribute('x1', x); needle.setAttribute('x2', x); });
      player.addEventListener('play', () => { for (const other of $$('audio', ab)) if (other !== player) other.pause(); });
      wave.addEventListener('click', (event) => { player.currentTime = whole * (event.clientX - wave.getBoundingClientRect().left) / wave.clientWidth; player.play(); });
    }
    const words = (found.lines || []).join('; ');
    $('[data-told]', ab).textContent = found.problem || words || 'They sound the same.';
    for (const [start, end] of (found.sounds || []).slice(0, 40)) {
      for (const side of ['old', 'new']) {
        const name = $(`.side-name.${side}`, ab).textContent;
        $('[data-stretches]', ab).append(aura.make('button', {
          className: 'quiet small', textContent: `▸ ${clock(start)}–${clock(end)} ${name}`,
          onclick: () => {
            const player = $(`.ab-${side}`, ab);
            player.currentTime = start;
            player.play();
            const stop = () => { if (player.currentTime >= end) { player.pause(); player.removeEventListener('timeupdate', stop); } };
            player.addEventListener('timeupdate', stop);
          },
        }));
      }
    }
    ab.dataset.decoded = '';
  };

  const begun = new WeakSet();
  const begin = () => {
    for (const ab of $$('[data-ab]')) {
      if (begun.has(ab)) continue;
      begun.add(ab);
      const slider = $('.ab-slider', ab);
      if (slider) modes(ab, slider);
      if (ab.dataset.ab === 'video') video(ab);
      if (ab.dataset.ab === 'sound') sound(ab);
    }
  };
  aura.body.addEventListener('aura:fresh', begin);
  begin();

  // ── the versions that can be chosen come when the page is there
  const choose = async () => {
    const selects = $$('select[data-choice]');
    if (!selects.length) return;
    let found;
    try { found = await (await fetch(selects[0].dataset.choice)).text(); } catch { return; }
    for (const select of selects) {
      const group = aura.make('optgroup', { label: 'Versions' }, ...aura.parse(found).body.childNodes);
      const chosen = $('[data-chosen]', select);
      for (const option of $$('option', group)) if (option.value === chosen?.value) option.remove();
      select.append(group);
    }
  };
  choose();
})();
