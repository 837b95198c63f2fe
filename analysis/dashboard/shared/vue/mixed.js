const mixed = (parts, component) => {  // one component of several parts: what it says itself comes last, and holds
  const whole = parts.concat([component]);
  const made = Object.assign({}, component);
  ["computed", "watch", "methods"].forEach((name) => {
    made[name] = Object.assign({}, ...whole.map((one) => one[name]));
  });
  made.data = () => Object.assign({}, ...whole.map((one) => (one.data ? one.data() : {})));
  ["mounted", "beforeDestroy", "beforeUnmount"].forEach((name) => {
    made[name] = function () {
      whole.forEach((one) => one[name] && one[name].call(this));
    };
  });
  return made;
};
