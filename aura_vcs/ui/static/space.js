// The sum of what is chosen in a plan, while it is chosen.
'use strict';
document.addEventListener('change', (event) => {
  const form = event.target.closest('.plan');
  if (!form) return;
  const chosen = aura.$$('[data-bytes]', form).filter((input) => input.checked);
  aura.$('[data-sum]', form).textContent = aura.size(chosen.reduce((sum, input) => sum + Number(input.dataset.bytes), 0));
  const button = aura.$('button.main', form);
  if (button) button.disabled = !chosen.length;
});
// What went is not chosen any more: the plan is made anew, and what was said of it stays.
aura.body.addEventListener('aura:done', ({ detail }) => {
  const plan = aura.$('#plan');
  if (detail.name !== 'storage/free' || detail.error || !plan) return;
  plan.replaceChildren();
  delete plan.dataset.text;
  aura.load('#plan');
});
