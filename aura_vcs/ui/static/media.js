// What this browser cannot show or play is made playable by the server, which says how far that is.
'use strict';
(() => {
  const { $, $$, base, make } = aura;
  const MEDIA = ':is(img, video, audio)';
  const AGAIN_MS = 600;

  // What is being made stands beside the player, or over the stage that it is in.
  const tell = (element, { words = '', hint = '', percent = null, ended = false }) => {
    const place = element.closest('.stage, .ab-side, .frame') || element.parentNode;
    let note = $(':scope > .making', place);
    if (ended) { note?.remove(); return; }
    if (!note) {
      note = make('div', { className: 'making' }, make('p', { role: 'status' }), make('p', { className: 'percent', ariaHidden: 'true' }), make('progress', { max: 100, ariaLabel: 'Made playable so far' }), make('p', { className: 'hint' }));
      place.append(note);
    }
    const said = $('[role=status]', note); // is read out, and so not at every hundredth
    if (said.textContent !== words) said.textContent = words;
    $('.percent', note).textContent = typeof percent === 'number' ? `${percent} %` : '';
    $('.hint', note).textContent = hint;
    const bar = $('progress', note);
    bar.hidden = percent === undefined;
    if (typeof percent === 'number') bar.value = percent; else bar.removeAttribute('value');
  };

  // Where a file is asked how far it is, and where it is then: of a version, of the folder, or of an export.
  const addressOf = (element) => {
    const path = new URL(element.currentSrc || element.src, location.href).pathname;
    const found = path.startsWith(base) && path.slice(base.length).match(/^\/(?:look\/(full|proxy|sequence)\/([^/]+\/.*)|export\/([^/]+))$/s);
    if (!found) return null;
    const [, kind, file, made] = found;
    if (made) return { ask: `${base}/export/${made}/playable`, made: `${base}/export/${made}/proxy` };
    return { ask: `${base}/proxy/${file}${kind === 'sequence' ? '?sequence=1' : ''}`, made: `${base}/look/${kind === 'sequence' ? kind : 'proxy'}/${file}` };
  };

  const follow = async (element, what) => {
    element.classList.add('absent');
    for (;;) {
      if (!element.isConnected) return;
      let found;
      try { found = await (await fetch(what.ask, { headers: { accept: 'application/json' } })).json(); } catch { found = { state: 'failed', message: 'The page lost its server.', hint: 'Start `aura ui` again.' }; }
      if (found.state === 'made') break;
      if (found.state === 'waiting' || found.state === 'making') {
        tell(element, { words: found.state === 'waiting' ? 'Waiting to be made playable …' : 'Being made playable …', percent: found.percent });
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
        continue;
      }
      const error = found.error || found;
      element.dataset.failed = '';
      tell(element, { words: error.message, hint: error.hint, percent: undefined });
      return;
    }
    tell(element, { ended: true });
    element.classList.remove('absent');
    element.dataset.made = '';
    element.src = what.made;
    element.load?.();
  };

  const unplayable = (element) => {
    if (element.dataset.asked === element.src) return;
    element.dataset.asked = element.src;
    const what = addressOf(element);
    if (what && !('made' in element.dataset)) follow(element, what);
    else if (element.matches('video, audio')) tell(element, { words: 'This browser cannot play it.', hint: 'Open it in the program that made it.', percent: undefined });
  };
  const isDumb = (video) => video.matches('video') && video.readyState > 0 && video.videoWidth === 0;
  document.addEventListener('error', (event) => { if (event.target.matches?.(`${MEDIA}[src*="/look/"], video[src*="/export/"]`) && !event.target.src.includes('/look/poster/') && !event.target.src.includes('/look/strip/')) unplayable(event.target); }, true);
  // A film whose picture is in a form that it does not know is played as sound alone.
  document.addEventListener('loadedmetadata', (event) => { if (isDumb(event.target)) unplayable(event.target); }, true);
  for (const element of $$(`${MEDIA}[src*="/look/"]`)) {
    if (/\/look\/(poster|strip)\//.test(element.src)) continue;
    if (element.error || element.matches('img') && element.complete && !element.naturalWidth || isDumb(element)) unplayable(element);
  }
  // Lengths are shown when a player comes into view, not for hundreds at once.
  const watcher = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) if (isIntersecting) { watcher.unobserve(target); target.preload = 'metadata'; }
  }, { rootMargin: '100px' });
  const watch = () => { for (const player of $$('audio[preload=none]')) watcher.observe(player); };
  document.body.addEventListener('aura:fresh', watch);
  watch();
})();
