# Called by CPack when the files of a package are in place and before they are packed.
foreach(folder ${CPACK_TEMPORARY_DIRECTORY})
  execute_process(
    COMMAND /usr/bin/python3 ${CPACK_LEAT_FOLDER}/settle.py --kind ${CPACK_GENERATOR} --version ${CPACK_PACKAGE_VERSION}
            --release ${CPACK_DEBIAN_PACKAGE_RELEASE} --maintainer ${CPACK_PACKAGE_CONTACT} --strip ${CPACK_LEAT_STRIP}
            "--page=${CPACK_LEAT_DASHBOARD_PAGE}" ${folder}
    COMMAND_ERROR_IS_FATAL ANY)
endforeach()
