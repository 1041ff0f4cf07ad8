# Warnings and sanitizers for our own targets only.
function(ltad_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast
    -Woverloaded-virtual $<$<BOOL:${LTAD_WERROR}>:-Werror>)
  if(LTAD_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${LTAD_SANITIZE} -fno-omit-frame-pointer
      -fno-sanitize-recover=all)
    target_link_options(${target} PUBLIC -fsanitize=${LTAD_SANITIZE})
  endif()
endfunction()
